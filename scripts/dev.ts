/** `npm run dev`: the development server, with hot replacement. */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';
import { projectRoot } from './project-root.ts';
import { ensureSnapshot } from './snapshot.ts';

const { values } = parseArgs({ options: { port: { type: 'string' } } });

await ensureSnapshot();
const server = await createServer({
  root: projectRoot,
  configFile: join(projectRoot, 'vite.config.ts'),
  server: values.port === undefined ? {} : { port: Number(values.port), strictPort: true },
});
await server.listen();
server.printUrls();
