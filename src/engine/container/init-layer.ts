/**
 * The init layer: what Docker puts between an image and the container's own layer, so that there is something to
 * mount over and a network configuration, and none of it shows in `docker diff`. Made anew from the container's
 * record at each opening, always the same, so that inode numbers stay.
 */

import { joinBytes } from '../archive/join-bytes.ts';
import type { LayerIndex } from '../layer/layer-index.ts';
import { buildLayerIndex, type NewEntry } from '../layer/layer-index-builder.ts';
import type { StackIndex } from '../layer/stack.ts';
import { encodeName } from '../names.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import type { ContainerRecord } from '../store/container-record.ts';

/** Where the static tools for walking are bound in, for images whose programs cannot run. */
export const WALK_TARGET = '/.layerbox';

const DIRECTORIES = ['dev', 'dev/pts', 'dev/shm', 'proc', 'sys', WALK_TARGET.slice(1), 'etc'];

export interface InitLayer {
  readonly index: LayerIndex;
  /** What the offsets of the index point into: the files' contents, one after the other. */
  readonly content: Uint8Array<ArrayBuffer>;
}

/** The init layer of a container over `image`, the stack of its image's layers. */
export async function initLayer(record: ContainerRecord, image: StackIndex): Promise<InitLayer> {
  const owned = { uid: 0, gid: 0, mtimeNs: BigInt(Math.trunc(record.createdAt)) * 1_000_000n };
  const entries: NewEntry[] = [];
  for (const path of DIRECTORIES) {
    if (typeAt(image, path) === 'dir') continue;
    // A link at /etc, say, is the image's business: what would lie below it is left out.
    if (typeAt(image, path) !== undefined && path === 'etc') continue;
    entries.push({ path, type: 'dir', mode: 0o755, ...owned });
  }
  const chunks: Uint8Array[] = [];
  let offset = 0;
  const file = (path: string, text: string) => {
    const bytes = encodeName(text);
    entries.push({ path, type: 'file', mode: 0o644, ...owned, size: bytes.length, offset });
    chunks.push(bytes);
    offset += bytes.length;
  };
  file('.dockerenv', '');
  const etc = typeAt(image, 'etc');
  if (etc === undefined || etc === 'dir') {
    file('etc/hostname', `${record.config.hostname}\n`);
    file('etc/hosts', hostsFile(record.config.hostname));
    file('etc/resolv.conf', '# The sandbox has no name server.\n');
    if (typeAt(image, 'etc/mtab') === undefined) {
      entries.push({ path: 'etc/mtab', type: 'symlink', mode: 0o777, ...owned, link: '/proc/mounts' });
    }
  }
  const diffID = await initDigest(record);
  return { index: buildLayerIndex(diffID, entries), content: joinBytes(chunks) };
}

/** The name under which the content of a container's init layer is read: no layer of an image has it. */
function initDigest(record: ContainerRecord): Promise<Digest> {
  return digestOf(encodeName(`init layer of container ${record.id}`));
}

function typeAt(image: StackIndex, path: string): string | undefined {
  const number = image.find(path);
  return number === undefined ? undefined : image.type(number);
}

function hostsFile(hostname: string): string {
  return [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::\tip6-localnet',
    'ff00::\tip6-mcastprefix',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
    `127.0.1.1\t${hostname}`,
    '',
  ].join('\n');
}
