/**
 * What pulls an image without a browser: skopeo with umoci, and a pipeline of a shell. What they have written is emptied, but
 * stays until all is measured: ext4 gives nobody an inode that was deleted in the last minute or five (ext4_new_inode,
 * `recently_deleted`), and looks for another so long that umoci takes twice its time after `rm -r` of as many files.
 */

import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest } from '../tests/support/registry.ts';
import { run } from '../tests/support/run.ts';
import type { Compression } from './images.ts';
import { milliseconds } from './report.ts';
import type { Setting } from './setting.ts';

/** Milliseconds of `skopeo copy` into an OCI layout and `umoci unpack` from it. */
export async function pullWithTools(setting: Setting, repository: string): Promise<number> {
  return inFolder(setting, (folder) =>
    milliseconds(async () => {
      await run('skopeo', [
        'copy',
        '--quiet',
        '--insecure-policy',
        '--src-tls-verify=false',
        `docker://${setting.registry.host}/${repository}`,
        `oci:${folder}/layout:image`,
      ]);
      await run('umoci', ['unpack', '--image', `${folder}/layout:image`, `${folder}/bundle`]);
    }),
  );
}

/** One layer: both digests are made on the way, as a pull has to. What tar leaves unread, the padding, is in the diffID. */
const LAYER = `
  curl -sf "$1" | tee >(sha256sum > "$3.digest") | $4 -dc | tee >(sha256sum > "$3.diffID") |
    { tar -x --numeric-owner -C "$2" && cat > /dev/null; }
  wait`;

/** Milliseconds of curl, tee, sha256sum, a decompressor and tar, one layer after the other. */
export async function pullWithPipeline(
  setting: Setting,
  repository: string,
  compression: Compression,
): Promise<number> {
  const { layers } = await readManifest(setting.registry, repository, 'latest');
  return inFolder(setting, async (folder) => {
    const root = join(folder, 'root');
    await run('mkdir', [root]);
    return milliseconds(async () => {
      for (const { digest } of layers) {
        const url = `http://${setting.registry.host}/v2/${repository}/blobs/${digest}`;
        const words = [url, root, join(folder, digest.slice(7)), compression];
        await run('bash', ['-e', '-o', 'pipefail', '-c', LAYER, 'bash', ...words]);
      }
    });
  });
}

async function inFolder(setting: Setting, measure: (folder: string) => Promise<number>): Promise<number> {
  const folder = await mkdtemp(join(setting.scratch, 'pull-'));
  const spent = await measure(folder);
  await run('find', [folder, '-type', 'f', '-size', '+0', '-exec', 'truncate', '-s', '0', '{}', '+']);
  return spent;
}
