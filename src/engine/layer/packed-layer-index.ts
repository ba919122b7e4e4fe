/** A LayerIndex over its packed columns (packed-layout.ts): nothing is unpacked but what is asked for. */

import { CorruptLayerError } from '../errors.ts';
import { compareBytes, decodeName, encodeName } from '../names.ts';
import type { DiffID } from '../oci/digest.ts';
import { isDigest } from '../oci/digest.ts';
import type { LayerEntry, LayerIndex } from './layer-index.ts';
import { unpackExtents } from './packed-extents.ts';
import {
  type Columns,
  columnsOf,
  entryTypes,
  flagImplicit,
  flagOpaque,
  flagSparse,
  headerLength,
  magic,
  oldestVersion,
  packedLength,
} from './packed-layout.ts';
import { unpackXattrs } from './packed-xattrs.ts';

/**
 * The index that `LayerIndexBuilder.finish` packed. The buffer is kept, not
 * copied. Throws CorruptLayerError when it is none: every offset, number and
 * the order of names are checked, so that no lookup can leave the buffer or
 * run in a circle.
 */
export function openLayerIndex(buffer: ArrayBuffer): LayerIndex {
  const { count, columns, diffID } = openColumns(buffer);
  checkEntries(columns, count);
  return new PackedLayerIndex(buffer, diffID, count, columns);
}

const damaged = (what: string) => new CorruptLayerError(`the stored layer index is damaged: ${what}`);

function openColumns(buffer: ArrayBuffer): { count: number; columns: Columns; diffID: DiffID } {
  if (buffer.byteLength < headerLength) throw damaged(`it has only ${buffer.byteLength} bytes`);
  const header = new DataView(buffer);
  magic.forEach((byte, at) => {
    const found = header.getUint8(at);
    if (at < magic.length - 1) {
      if (found !== byte) throw damaged('it does not start as a layer index does');
    } else if (found < oldestVersion || found > byte) {
      throw damaged(
        `its format is version ${found}, this Layerbox reads versions ${oldestVersion} to ${byte}`,
      );
    }
  });
  const count = header.getUint32(8, true);
  const byteLength = header.getUint32(12, true);
  if (count === 0 || packedLength(count, byteLength) !== buffer.byteLength) {
    throw damaged(`${buffer.byteLength} bytes do not fit ${count} entries with ${byteLength} bytes of names`);
  }
  const columns = columnsOf(buffer, count, byteLength);
  const diffID = decodeName(columns.bytes.subarray(0, Math.min(header.getUint32(16, true), 256)));
  if (!isDigest(diffID)) throw damaged(`${JSON.stringify(diffID)} is no diffID`);
  return { count, columns, diffID };
}

function checkEntries(columns: Columns, count: number): void {
  const { bytes, parent, firstChild, nameOffset, nameLength, linkOffset, linkLength } = columns;
  const at = (column: ArrayLike<number>, number: number) => column[number] ?? 0;
  if (at(columns.type, 0) !== 1 || at(parent, 0) !== 0 || at(nameLength, 0) !== 0) {
    throw damaged('entry 0 is not the root');
  }
  if (at(firstChild, 0) !== 1 || at(firstChild, count) !== count) {
    throw damaged('its directories do not hold all its entries');
  }
  for (let number = 0; number < count; number++) {
    const type = at(columns.type, number);
    if (type >= entryTypes.length) throw damaged(`entry ${number} is of type ${type}`);
    const first = at(firstChild, number);
    const end = at(firstChild, number + 1);
    if (end < first || end > count || (end > first && (type !== 1 || first <= number))) {
      throw damaged(`the children of entry ${number} are ${first} to ${end}`);
    }
    if (
      at(nameOffset, number) + at(nameLength, number) > bytes.length ||
      at(linkOffset, number) + at(linkLength, number) > bytes.length ||
      at(columns.xattrOffset, number) + at(columns.xattrLength, number) > bytes.length
    ) {
      throw damaged(`entry ${number} leads outside`);
    }
    if (
      !Number.isSafeInteger(at(columns.size, number)) ||
      !Number.isSafeInteger(at(columns.offset, number)) ||
      !Number.isSafeInteger(at(columns.mtimeSeconds, number)) ||
      at(columns.size, number) < 0 ||
      at(columns.offset, number) < 0
    ) {
      throw damaged(`entry ${number} has a size, an offset or a time that is no number`);
    }
    if ((at(columns.flags, number) & flagSparse) !== 0) {
      if (type !== 0) throw damaged(`entry ${number} is no file and has a sparse map`);
      const from = at(linkOffset, number);
      unpackExtents(bytes.subarray(from, from + at(linkLength, number)), at(columns.size, number));
    }
    let previous: Uint8Array | undefined;
    for (let child = first; child < end; child++) {
      const name = bytes.subarray(at(nameOffset, child), at(nameOffset, child) + at(nameLength, child));
      if (at(parent, child) !== number || name.length === 0 || name.includes(0x2f)) {
        throw damaged(`entry ${child} is no child of entry ${number}`);
      }
      if (previous !== undefined && compareBytes(previous, name) >= 0) {
        throw damaged(`entry ${child} is out of order`);
      }
      previous = name;
    }
  }
}

class PackedLayerIndex implements LayerIndex {
  readonly buffer: ArrayBuffer;
  readonly diffID: DiffID;
  readonly count: number;
  readonly columns: Columns;

  constructor(buffer: ArrayBuffer, diffID: DiffID, count: number, columns: Columns) {
    this.buffer = buffer;
    this.diffID = diffID;
    this.count = count;
    this.columns = columns;
  }

  entry(number: number): LayerEntry {
    this.#checkNumber(number);
    const columns = this.columns;
    const at = (column: ArrayLike<number>) => column[number] ?? 0;
    const type = entryTypes[at(columns.type)] ?? 'file';
    const flags = at(columns.flags);
    const xattrLength = at(columns.xattrLength);
    return {
      number,
      parent: at(columns.parent),
      name: decodeName(this.#nameBytes(number)),
      type,
      mode: at(columns.mode),
      uid: at(columns.uid),
      gid: at(columns.gid),
      mtimeNs: BigInt(at(columns.mtimeSeconds)) * 1_000_000_000n + BigInt(at(columns.mtimeNanos)),
      size: at(columns.size),
      offset: at(columns.offset),
      extents:
        (flags & flagSparse) !== 0
          ? unpackExtents(this.#slice(at(columns.linkOffset), at(columns.linkLength)), at(columns.size))
          : undefined,
      link:
        type === 'symlink' || type === 'hardlink'
          ? decodeName(this.#slice(at(columns.linkOffset), at(columns.linkLength)))
          : undefined,
      rdev: type === 'char' || type === 'block' ? [at(columns.rdevMajor), at(columns.rdevMinor)] : undefined,
      xattrs: xattrLength > 0 ? unpackXattrs(this.#slice(at(columns.xattrOffset), xattrLength)) : undefined,
      opaque: (flags & flagOpaque) !== 0,
      implicit: (flags & flagImplicit) !== 0,
    };
  }

  find(path: string): number | undefined {
    if (path === '') return 0;
    let number: number | undefined = 0;
    for (const name of path.split('/')) {
      number = this.child(number, name);
      if (number === undefined) return undefined;
    }
    return number;
  }

  children(directory: number): readonly [number, number] {
    this.#checkNumber(directory);
    const { firstChild } = this.columns;
    return [firstChild[directory] ?? 0, firstChild[directory + 1] ?? 0];
  }

  child(directory: number, name: string): number | undefined {
    let [low, high] = this.children(directory);
    if (low === high) return undefined;
    const wanted = encodeName(name);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareBytes(this.#nameBytes(middle), wanted);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  path(number: number): string {
    this.#checkNumber(number);
    const names: string[] = [];
    for (let at = number; at !== 0; at = this.columns.parent[at] ?? 0) {
      names.push(decodeName(this.#nameBytes(at)));
    }
    return names.reverse().join('/');
  }

  #nameBytes(number: number): Uint8Array {
    return this.#slice(this.columns.nameOffset[number] ?? 0, this.columns.nameLength[number] ?? 0);
  }

  #slice(offset: number, length: number): Uint8Array {
    return this.columns.bytes.subarray(offset, offset + length);
  }

  #checkNumber(number: number): void {
    if (!Number.isInteger(number) || number < 0 || number >= this.count) {
      throw new RangeError(`a layer index of ${this.count} entries has no entry ${number}`);
    }
  }
}
