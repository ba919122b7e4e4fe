/** Records what `docker inspect --format` of the docker client at hand makes of each template: `tsx tests/golden/record-templates.ts`. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serveEngineApi } from './engine-api.ts';
import { DOCUMENT, TEMPLATES } from './templates.ts';

const folder = await mkdtemp(join(tmpdir(), 'engine-api-'));
const socket = join(folder, 'docker.sock');
const server = await serveEngineApi(socket, ({ path }) =>
  path === '/containers/web/json' ? DOCUMENT : undefined,
);

function docker(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile('docker', ['-H', `unix://${socket}`, ...argv], (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

const version = (await docker('--version')).out.trim();
const results = [];
for (const format of TEMPLATES) {
  results.push({ format, ...(await docker('inspect', '--type', 'container', '-f', format, 'web')) });
}
const file = join(import.meta.dirname, 'recorded/templates.json');
await writeFile(file, `${JSON.stringify({ version, results }, undefined, 1)}\n`);
await promisify(execFile)('npx', ['biome', 'format', '--write', file]);
server.close();
await rm(folder, { recursive: true });
