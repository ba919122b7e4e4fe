/** Records what the docker client at hand prints for each case: `tsx tests/golden/record-commands.ts`. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CASES, type Case } from './cases.ts';
import { serveEngineApi } from './engine-api.ts';
import { answersOf, idsOf, openState } from './state.ts';

const folder = await mkdtemp(join(tmpdir(), 'engine-api-'));
const socket = join(folder, 'docker.sock');
const now = Date.now();
const sandbox = await openState(now);
const server = await serveEngineApi(socket, answersOf(sandbox));
const env = { ...process.env, HOME: folder, DOCKER_HOST: `unix://${socket}`, TERM: 'xterm' };

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(program: string, argv: readonly string[]): Promise<Result> {
  return new Promise((resolve) => {
    execFile(program, argv, { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

/** In a terminal both streams are one. */
async function record({ argv, columns }: Case): Promise<Result> {
  if (columns === undefined) return run('docker', argv);
  const quoted = ['docker', ...argv].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const line = `stty cols ${columns} rows 24; ${quoted}`;
  const result = await run('script', ['-qec', line, '/dev/null']);
  return { ...result, out: result.out.replaceAll('\r\n', '\n') };
}

const version = (await run('docker', ['--version'])).out.trim();
const results = [];
for (const each of CASES) results.push({ argv: each.argv, columns: each.columns, ...(await record(each)) });
const file = join(import.meta.dirname, 'recorded/commands.json');
const ids = await idsOf(sandbox);
await writeFile(file, `${JSON.stringify({ version, now, ids, results }, undefined, 1)}\n`);
await promisify(execFile)('npx', ['biome', 'format', '--write', file]);
server.close();
await sandbox.engine.close();
await rm(folder, { recursive: true });
