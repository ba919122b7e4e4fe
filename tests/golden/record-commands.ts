/** Records what the docker client at hand prints for each case: `tsx tests/golden/record-commands.ts`. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestSandbox } from '../unit/container/sandbox.ts';
import type { Case } from './case.ts';
import { CASES } from './cases.ts';
import { answersOf } from './daemon-answers.ts';
import { type Answer, serveEngineApi } from './engine-api.ts';
import { screenOf } from './screen.ts';
import { idsOf, openState } from './state.ts';

const folder = await mkdtemp(join(tmpdir(), 'engine-api-'));
const socket = join(folder, 'docker.sock');
const now = Date.now();
const shared = await openState(now);
const ids = await idsOf(shared);
let answer: Answer = answersOf(shared);
const server = await serveEngineApi(socket, (asked) => answer(asked));
const env = { ...process.env, HOME: folder, DOCKER_HOST: `unix://${socket}`, TERM: 'xterm', TZ: 'UTC' };
const PATIENCE_MS = 20_000;

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(program: string, argv: readonly string[], typed?: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, argv, { env, cwd: folder, timeout: PATIENCE_MS }, (error, out, err) => {
      if (error?.killed === true) reject(new Error(`no end: ${program} ${argv.join(' ')}\n${out}\n${err}`));
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
    if (program === 'docker') child.stdin?.end();
    if (typed === undefined) return;
    let shown = '';
    child.stdout?.on('data', (text: string) => {
      shown += text;
      // before the question the terminal still shows what is typed
      if (shown.endsWith('[y/N] ')) child.stdin?.write(typed);
    });
  });
}

/** In a terminal both streams are one. */
async function record({ argv, columns, typed, screen }: Case): Promise<Result> {
  if (columns === undefined) return run('docker', argv);
  const quoted = ['docker', ...argv].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const line = `stty cols ${columns} rows 24${typed === undefined ? '' : ' -echo'}; ${quoted}`;
  const result = await run('script', ['-qec', line, '/dev/null'], typed);
  const out = result.out.replaceAll('\r\n', '\n');
  return { ...result, out: screen === true ? screenOf(out) : out };
}

/** `ids`: of a state of its own, those that are in the output. */
async function recordFresh(each: Case): Promise<Result & { readonly ids: Readonly<Record<string, string>> }> {
  const sandbox: TestSandbox = await openState(now);
  const all = Object.entries(await idsOf(sandbox));
  answer = answersOf(sandbox);
  const result = await record(each);
  await sandbox.engine.close();
  const used = all.filter(
    ([, id]) => id.length === 64 && result.out.concat(result.err).includes(id.slice(0, 12)),
  );
  return { ...result, ids: Object.fromEntries(used) };
}

const version = (await run('docker', ['--version'])).out.trim();
const results: unknown[] = [];
const put = async (each: Case, result: Promise<Result>) => {
  const { argv, columns } = each;
  results[CASES.indexOf(each)] = { argv, columns, ...(await result) };
};
// those of the shared state first, while it is as old as it says
for (const each of CASES.filter((one) => one.fresh !== true)) await put(each, record(each));
for (const each of CASES.filter((one) => one.fresh === true)) await put(each, recordFresh(each));
const file = join(import.meta.dirname, 'recorded/commands.json');
await writeFile(file, `${JSON.stringify({ version, now, ids, results }, undefined, 1)}\n`);
await promisify(execFile)('npx', ['biome', 'format', '--write', file]);
server.close();
await shared.engine.close();
await rm(folder, { recursive: true });
