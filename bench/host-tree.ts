/** A tree of the host as a container's: a union over one layer, in memory. */

import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { buildLayerIndex, type NewEntry } from '../src/engine/layer/layer-index-builder.ts';
import { stackLayers } from '../src/engine/layer/stack.ts';
import { MemoryJournalStore } from '../src/engine/store/memory-journal.ts';
import type { FileSystem } from '../src/engine/unionfs/filesystem.ts';
import { openUnion } from '../src/engine/unionfs/union.ts';

/** Its directories, files and symlinks; what else there is, and names that are not UTF-8, are left out. */
export async function hostTree(root: string): Promise<FileSystem> {
  const entries: NewEntry[] = [];
  const parts: Buffer[] = [];
  let length = 0;
  const add = (folder: string) => {
    for (const name of readdirSync(join(root, folder)).sort()) {
      const path = folder === '' ? name : `${folder}/${name}`;
      const stat = lstatSync(join(root, path), { bigint: true });
      const common = {
        path,
        mode: Number(stat.mode) & 0o7777,
        uid: Number(stat.uid),
        gid: Number(stat.gid),
        mtimeNs: stat.mtimeNs,
      };
      if (stat.isSymbolicLink())
        entries.push({ ...common, type: 'symlink', link: readlinkSync(join(root, path)) });
      if (stat.isFile()) {
        const content = readFileSync(join(root, path));
        entries.push({ ...common, type: 'file', size: content.length, offset: length });
        parts.push(content);
        length += content.length;
      }
      if (stat.isDirectory()) {
        entries.push({ ...common, type: 'dir' });
        add(path);
      }
    }
  };
  add('');
  const bytes = new Uint8Array(Buffer.concat(parts));
  const index = buildLayerIndex(`sha256:${'0'.repeat(64)}`, entries);
  return openUnion({
    lowers: [{ index, read: (offset, count) => bytes.subarray(offset, offset + count) }],
    stack: stackLayers([index]),
    journal: await new MemoryJournalStore().open('host-tree'),
    now: () => BigInt(Date.now()) * 1_000_000n,
  });
}
