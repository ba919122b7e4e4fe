/** `npm run bench`: what users feel, as ratios against what they would use instead, in one run. */

import { ensurePrograms, TEST_PROGRAMS } from '../scripts/system.ts';
import { findRows } from './find.ts';
import { memoryRows } from './memory.ts';
import { promptRows } from './prompt.ts';
import { pullRows } from './pull.ts';
import { type Row, report } from './report.ts';
import { openSetting } from './setting.ts';

ensurePrograms([...TEST_PROGRAMS, { program: 'runc', package: 'runc' }]);
const setting = await openSetting();
const rows: Row[] = [];
for (const measure of [promptRows, pullRows, findRows, memoryRows]) rows.push(...(await measure(setting)));
await setting.close();
const missed = await report(rows);
if (missed.length > 0) process.exit(1);
