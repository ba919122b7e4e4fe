/**
 * `npm test`: brings what the tests need from the system, checks types, lint
 * and format, then runs every suite. `--long` runs what takes longer
 * (tests/long). Other words go to vitest: `npm test -- --project unit`.
 */

import { spawnSync } from 'node:child_process';
import { ensurePrograms, TEST_PROGRAMS } from './system.ts';

const words = process.argv.slice(2);
const long = words.includes('--long');
const rest = words.filter((word) => word !== '--long');

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  const started = Date.now();
  const done = spawnSync(program, args, { stdio: 'inherit', env });
  if (done.error) throw done.error;
  if (done.status !== 0) process.exit(done.status ?? 1);
  console.log(`${program} ${args.join(' ')}: ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
}

ensurePrograms(TEST_PROGRAMS);
if (rest.length === 0 && !long) run('npm', ['run', '--silent', 'check']);
run('npx', ['vitest', 'run', ...rest], { ...process.env, ...(long ? { LAYERBOX_LONG: '1' } : {}) });
