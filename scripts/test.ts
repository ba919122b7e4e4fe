/**
 * `npm test`: brings what the tests need from the system, checks types, lint
 * and format, then runs every suite. `--long` runs what takes longer
 * (tests/long). Other words go to vitest: `npm test -- --project unit`.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ensurePrograms, TEST_PROGRAMS } from './system.ts';

const words = process.argv.slice(2);
const long = words.includes('--long');
const rest = words.filter((word) => word !== '--long');

/** True when it ended well. */
async function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<boolean> {
  const started = Date.now();
  const [code, signal] = await once(spawn(program, args, { stdio: 'inherit', env }), 'exit');
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  const end = code === 0 ? '' : `, ended with ${code ?? signal}`;
  console.log(`${program} ${args.join(' ')}: ${seconds} s${end}\n`);
  return code === 0;
}

ensurePrograms(TEST_PROGRAMS);
if (rest.length === 0 && !long) {
  // side by side: the checks compute, and what is made waits for downloads and disks as well
  const done = await Promise.all([
    run('npm', ['run', '--silent', 'check']),
    run('npx', ['tsx', 'tests/support/prepare.ts']),
  ]);
  if (done.includes(false)) process.exit(1);
}
const isGood = await run('npx', ['vitest', 'run', ...rest], {
  ...process.env,
  ...(long ? { LAYERBOX_LONG: '1' } : {}),
});
if (!isGood) process.exit(1);
