/** A built site below a path of another server's, as on the pages of a host that many share. */

import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type StaticServer, serveFolder } from '../../scripts/serve.ts';

/** Serves `dist` at `path` (`a/b`), and nothing else. `url` is that of the page, with the slash. */
export async function serveBelow(dist: string, path: string): Promise<StaticServer> {
  const root = await mkdtemp(join(tmpdir(), 'layerbox-below-'));
  await mkdir(join(root, dirname(path)), { recursive: true });
  await symlink(dist, join(root, path));
  const server = await serveFolder(root, 0);
  return {
    url: `${server.url}${path}/`,
    port: server.port,
    close: async () => {
      await server.close();
      await rm(root, { recursive: true });
    },
  };
}
