/** `npm start`: builds what is stale, serves the site, prints its URL once it can be opened. */

import { parseArgs } from 'node:util';
import { buildSite } from './build.ts';
import { type StaticServer, serveFolder } from './serve.ts';

const preferred = 8686;

const { values } = parseArgs({
  options: { port: { type: 'string' }, host: { type: 'string', default: '127.0.0.1' } },
});
const port = values.port === undefined ? undefined : Number(values.port);
if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
  console.error(`"${values.port}" is no port: give a number from 0 to 65535, 0 for any that is free.`);
  process.exit(2);
}

console.log('Building what is stale ...');
const folder = await buildSite();
const server = await serve(folder, port, values.host);
console.log(`Layerbox is at ${server.url}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.close().then(() => process.exit(0));
  });
}

/** On the port that was asked for; without one on the usual port, or on a free one when that is taken. */
async function serve(site: string, asked: number | undefined, host: string): Promise<StaticServer> {
  try {
    return await serveFolder(site, asked ?? preferred, host);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'EADDRINUSE' && asked === undefined) return serveFolder(site, 0, host);
    const why = error.code === 'EADDRINUSE' ? 'something else listens there' : error.message;
    console.error(`Port ${asked} of ${host} can't be used: ${why}. Choose another: npm start -- --port 8687`);
    process.exit(1);
  }
}
