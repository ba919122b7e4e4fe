/**
 * Pieces written as a tar that busybox reads: it takes long names as GNU tar has them (an entry `././@LongLink` before the
 * one it is for) and steps over the pax headers that POSIX has for them. Extended attributes and parts of seconds have no
 * place in it.
 */

import { joinBytes } from '../archive/join-bytes.ts';
import { endOfArchive, paddingAfter, type TarFields, tarHeaderOf } from '../archive/tar-writer.ts';
import { encodeName } from '../names.ts';
import type { Pieces } from '../unionfs/pieces.ts';
import { tarOfPieces } from '../unionfs/tar-of-pieces.ts';

const NAME_MAX = 100;
const TYPE = 156;
const CHECKSUM = 148;
const billion = 1_000_000_000n;
/** What eight characters of octal hold. */
const ID_MAX = 8 ** 7 - 1;
/** Of eleven octal digits. */
const TIME_MAX = BigInt(8 ** 11 - 1);

/** The chunks of the tar. */
export function longNameTarOf(pieces: Pieces): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  return tarOfPieces(pieces, (entry) => joinBytes([...longNames(entry), tarHeaderOf(plainEntry(entry))]));
}

function plainEntry(entry: TarFields): TarFields {
  const { path, link, uid, gid, mtimeNs } = entry;
  const { xattrs: _, ...rest } = entry;
  const seconds = mtimeNs < 0n ? 0n : mtimeNs / billion;
  return {
    ...rest,
    path: short(path),
    ...(link !== undefined && { link: short(link) }),
    uid: Math.min(uid, ID_MAX),
    gid: Math.min(gid, ID_MAX),
    mtimeNs: (seconds > TIME_MAX ? TIME_MAX : seconds) * billion,
  };
}

/** What is in the header is not read; one byte is left for a directory's slash. */
function short(name: string): string {
  return encodeName(name).length < NAME_MAX ? name : 'long';
}

function longNames({ path, link = '' }: TarFields): Uint8Array<ArrayBuffer>[] {
  const names: Uint8Array<ArrayBuffer>[] = [];
  if (short(link) !== link) names.push(...longName('K', link));
  if (short(path) !== path) names.push(...longName('L', path));
  return names;
}

function longName(flag: 'K' | 'L', name: string): Uint8Array<ArrayBuffer>[] {
  const content = encodeName(`${name}\0`);
  const header = tarHeaderOf({
    path: '././@LongLink',
    type: 'file',
    mode: 0,
    uid: 0,
    gid: 0,
    mtimeNs: 0n,
    size: content.length,
  });
  header[TYPE] = flag.charCodeAt(0);
  header.fill(0x20, CHECKSUM, CHECKSUM + 8);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(encodeName(`${sum.toString(8).padStart(6, '0')}\0 `), CHECKSUM);
  return [header, content.slice(), new Uint8Array(paddingAfter(content.length))];
}

/** Bytes that the pieces take as a tar, which is what Docker's client counts: told of each part as it passes. */
export async function* counted(pieces: Pieces, count: (bytes: number) => Promise<void>) {
  /** Of the content of the last entry, with what fills its last block. */
  let left = 0;
  for await (const piece of pieces) {
    if ('entry' in piece) {
      const size = piece.entry.type === 'file' ? (piece.entry.size ?? 0) : 0;
      await count(left + tarHeaderOf(piece.entry).length);
      left = size + paddingAfter(size);
    } else {
      const passed = Math.min(piece.bytes.length, left);
      left -= passed;
      await count(passed);
    }
    yield piece;
  }
  await count(left + endOfArchive.length);
}
