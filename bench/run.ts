/**
 * `npm run bench`: what users feel, as ratios against what they would use instead, in one run.
 * `npm run bench -- find guest-fs`: only these, and results.json stays as it is.
 */

import { ensurePrograms, TEST_PROGRAMS } from '../scripts/system.ts';
import { findRows } from './find.ts';
import { guestFilesystemRows } from './guest-fs.ts';
import { lazyRows } from './lazy.ts';
import { memoryRows } from './memory.ts';
import { promptRows } from './prompt.ts';
import { pullRows } from './pull.ts';
import { queryRows } from './queries.ts';
import { type Row, report } from './report.ts';
import { scaleRows } from './scale.ts';
import { openSetting } from './setting.ts';

const PARTS = {
  prompt: promptRows,
  pull: pullRows,
  lazy: lazyRows,
  find: findRows,
  'guest-fs': guestFilesystemRows,
  scale: scaleRows,
  queries: queryRows,
  memory: memoryRows,
};
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}.`);
  process.exit(2);
}

ensurePrograms([...TEST_PROGRAMS, { program: 'runc', package: 'runc' }]);
const setting = await openSetting();
const rows: Row[] = [];
for (const [name, measure] of Object.entries(PARTS)) {
  if (wanted.length === 0 || wanted.includes(name)) rows.push(...(await measure(setting)));
}
await setting.close();
const missed = await report(rows, { isWhole: wanted.length === 0 });
if (missed.length > 0) process.exit(1);
