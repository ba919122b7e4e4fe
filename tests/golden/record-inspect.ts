/** Records the documents that the docker client at hand makes of ours, field by field: `tsx tests/golden/record-inspect.ts`. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { answersOf } from './daemon-answers.ts';
import { serveEngineApi } from './engine-api.ts';
import { INSPECTED } from './inspected.ts';
import { idsOf, openState } from './state.ts';

const folder = await mkdtemp(join(tmpdir(), 'engine-api-'));
const socket = join(folder, 'docker.sock');
const now = Date.now();
const sandbox = await openState(now);
const server = await serveEngineApi(socket, answersOf(sandbox));
const env = { ...process.env, HOME: folder, DOCKER_HOST: `unix://${socket}`, TZ: 'UTC' };
const run = promisify(execFile);
const docker = async (...argv: readonly string[]) => (await run('docker', argv, { env })).stdout;

const version = (await docker('--version')).trim();
const documents: Record<string, unknown> = {};
for (const line of INSPECTED) {
  // a template has what the client's own types hold: it reads our document, and writes it in its way
  documents[line] = JSON.parse(await docker(...line.split(' '), '-f', '{{json .}}'));
}
const file = join(import.meta.dirname, 'recorded/inspect.json');
const recorded = { version, now, ids: await idsOf(sandbox), documents };
await writeFile(file, `${JSON.stringify(recorded, undefined, 1)}\n`);
await run('npx', ['biome', 'format', '--write', file]);
server.close();
await sandbox.engine.close();
await rm(folder, { recursive: true });
