/** An upper written as a layer and read again, for tests. */

import { createHash } from 'node:crypto';
import { LayerFromTar } from '../../../src/engine/layer/layer-from-tar.ts';
import { layerTarOf } from '../../../src/engine/unionfs/layer-tar.ts';
import type { Lower, Union } from '../../../src/engine/unionfs/union.ts';
import { walk } from '../../../src/engine/unionfs/walk.ts';

/** The tar of a union's upper. */
export async function tarOf(union: Union): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of layerTarOf(union)) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

/** The layer that a tar is, as a pull would index it. */
export function lowerOfTar(tar: Uint8Array<ArrayBuffer>): Lower {
  const layer = new LayerFromTar();
  // in pieces that no header or content fits
  for (let at = 0; at < tar.length; at += 777) layer.push(tar.subarray(at, at + 777));
  const index = layer.finish(`sha256:${createHash('sha256').update(tar).digest('hex')}`);
  return { index, read: (offset, length) => tar.subarray(offset, offset + length) };
}

/** The upper as the next lower. */
export async function committed(union: Union): Promise<Lower> {
  return lowerOfTar(await tarOf(union));
}

/** Everything about a tree that a layer keeps: hard links by their first name. Sockets are left out: no layer has them. */
export async function wholeTreeOf(union: Union): Promise<string[]> {
  const lines: string[] = [];
  const first = new Map<number, string>();
  for (const { path, stat, link, xattrs } of walk(union)) {
    if (stat.type === 'socket') continue;
    const known = stat.type === 'dir' ? undefined : first.get(stat.ino);
    first.set(stat.ino, known ?? path);
    const content =
      stat.type === 'file' ? Buffer.from(await union.read(stat.ino, 0, stat.size)).toString('latin1') : '';
    const attributes = Object.entries(xattrs ?? {})
      .map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`)
      .sort();
    lines.push(
      [
        JSON.stringify(path),
        stat.type,
        stat.mode.toString(8),
        `${stat.uid}:${stat.gid}`,
        `nlink ${stat.nlink}`,
        `size ${stat.size}`,
        `mtime ${stat.mtimeNs}`,
        stat.rdev.join(','),
        known === undefined ? '' : `same as ${known}`,
        link === undefined ? '' : `-> ${JSON.stringify(link)}`,
        JSON.stringify(content),
        ...attributes,
      ].join(' '),
    );
  }
  return lines;
}
