/** Records the help of every command of the docker client at hand, at 80 columns: `tsx tests/golden/record-help.ts`. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { COMMANDS, MANAGEMENT } from '../../src/engine/cli/command-table.ts';
import { serveEngineApi } from './engine-api.ts';

const folder = await mkdtemp(join(tmpdir(), 'docker-help-'));
const run = promisify(execFile);
// of a daemon on Linux the client leaves out what is for Windows
const socket = join(folder, 'docker.sock');
const server = await serveEngineApi(socket, () => undefined);
const env = { ...process.env, HOME: folder, DOCKER_HOST: `unix://${socket}` };
const ask = async (...argv: string[]) => (await run('docker', argv, { env })).stdout;

const names = [
  ...[...COMMANDS.keys()].map((name) => [name]),
  ...[...MANAGEMENT].flatMap(([group, { commands }]) => [...commands.keys()].map((name) => [group, name])),
];
const help: Record<string, string> = {};
for (const name of names.sort()) {
  // of a plugin that is not there the client knows nothing
  const text = await ask(...name, '--help').catch(() => '');
  if (text.startsWith(`Usage:  docker ${name.join(' ')}`)) help[name.join(' ')] = text;
}
const version = (await ask('--version')).trim();
const file = join(import.meta.dirname, 'recorded/help.json');
await writeFile(file, `${JSON.stringify({ version, help }, undefined, 1)}\n`);
await run('npx', ['biome', 'format', '--write', file]);
server.close();
await rm(folder, { recursive: true });
