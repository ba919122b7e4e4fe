/** Sparse files from the tar to what a program reads: the index, the stack, the union, copied up or not. */

import { describe, expect, it } from 'vitest';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { LayerFromTar } from '../../../src/engine/layer/layer-from-tar.ts';
import { openLayerIndex } from '../../../src/engine/layer/packed-layer-index.ts';
import type { DiffID } from '../../../src/engine/oci/digest.ts';
import { readFile } from '../../../src/engine/unionfs/resolve.ts';
import type { Lower } from '../../../src/engine/unionfs/union.ts';
import { endOfArchive, file, header, joined, pax } from '../archive/tar-bytes.ts';
import { bytesOf, memoryJournal, textOf, unionOver } from '../unionfs/fixture.ts';

const diffID: DiffID = `sha256:${'00'.repeat(32)}`;
const sparse = (name: string, size: number, map: string, content: string) =>
  joined(
    pax({
      'GNU.sparse.name': name,
      'GNU.sparse.size': `${size}`,
      'GNU.sparse.numblocks': `${map === '' ? 0 : map.split(',').length / 2}`,
      'GNU.sparse.map': map,
    }),
    file('cut', content),
  );
const tar = joined(
  file('plain', 'plain'),
  sparse('holes', 20, '3,2,10,4', 'abcdef'),
  sparse('empty', 9, '', ''),
  sparse('full', 4, '0,4', 'full'),
  header({ name: 'twin', type: '1', link: 'holes' }),
  sparse('big', 2 ** 40, `${2 ** 39},3`, 'far'),
  endOfArchive,
);
const holes = '\0\0\0ab\0\0\0\0\0cdef\0\0\0\0\0\0';

function lowerOf(late: boolean): Lower {
  const layer = new LayerFromTar();
  layer.push(tar);
  const index = openLayerIndex(structuredClone(layer.finish(diffID).buffer));
  const read = (offset: number, length: number) => tar.subarray(offset, offset + length);
  return { index, read: late ? async (offset, length) => read(offset, length) : read };
}

describe('a sparse file', () => {
  it('has its pieces in the index, and no other file does', () => {
    const { index } = lowerOf(false);
    const entry = (path: string) => index.entry(index.find(path) ?? 0);
    expect(entry('holes')).toMatchObject({
      type: 'file',
      size: 20,
      link: undefined,
      extents: [
        { start: 3, length: 2 },
        { start: 10, length: 4 },
      ],
    });
    expect(textOf(tar.subarray(entry('holes').offset, entry('holes').offset + 6))).toBe('abcdef');
    expect(entry('empty')).toMatchObject({ size: 9, extents: [] });
    expect(entry('plain').extents).toBeUndefined();
  });

  it.each([false, true])('reads as zeros where it has holes (bytes come late: %s)', async (late) => {
    const union = await unionOver([lowerOf(late)]);
    const text = async (path: string) => textOf(await readFile(union, path));
    expect(await text('holes')).toBe(holes);
    expect(await text('twin')).toBe(holes);
    expect(await text('empty')).toBe('\0'.repeat(9));
    expect(await text('full')).toBe('full');
    expect(await text('plain')).toBe('plain');
    const ino = union.lookup(union.root, 'holes');
    for (let from = 0; from < 22; from++) {
      for (let to = from; to < 24; to++) {
        expect(textOf(await union.read(ino, from, to - from))).toBe(holes.slice(from, to));
      }
    }
    const big = union.lookup(union.root, 'big');
    expect(textOf(await union.read(big, 2 ** 39 - 1, 5))).toBe('\0far\0');
    await expect(readFile(union, 'big')).rejects.toMatchObject({ errno: 'EFBIG' });
    await union.close();
  });

  it('takes the room of its content, not of its holes', async () => {
    const union = await unionOver([lowerOf(false)]);
    const blocks = (name: string) => union.stat(union.lookup(union.root, name)).blocks;
    expect(['big', 'holes', 'empty', 'plain'].map(blocks)).toEqual([1, 1, 0, 1]);
    await union.close();
  });

  it('keeps its holes when it is written to, flushed and opened again', async () => {
    const journal = await memoryJournal();
    const union = await unionOver([lowerOf(true)], { journal });
    const ino = union.lookup(union.root, 'holes');
    union.write(ino, 6, bytesOf('X'));
    const want = `${holes.slice(0, 6)}X${holes.slice(7)}`;
    expect(textOf(await readFile(union, 'twin'))).toBe(want);
    expect(union.stat(ino).blocks).toBe(1);
    union.setattr(union.lookup(union.root, 'big'), { size: 2 ** 39 + 1 });
    await union.compact();
    expect(textOf(await readFile(union, 'holes'))).toBe(want);
    expect(textOf(await union.read(union.lookup(union.root, 'big'), 2 ** 39 - 1, 9))).toBe('\0f');
    await union.close();
  });
});

describe('the packed index of a sparse file', () => {
  const buffer = () => structuredClone(lowerOf(false).index.buffer);

  it('is of version 2, and one of version 1 opens as well', () => {
    const plain = new LayerFromTar();
    plain.push(joined(file('a', 'x'), endOfArchive));
    const bytes = new Uint8Array(plain.finish(diffID).buffer);
    expect(bytes[7]).toBe(2);
    bytes[7] = 1;
    expect(openLayerIndex(bytes.buffer).entry(1)).toMatchObject({ name: 'a', size: 1, extents: undefined });
    bytes[7] = 0;
    expect(() => openLayerIndex(bytes.buffer)).toThrow(
      'its format is version 0, this Layerbox reads versions 1 to 2',
    );
  });

  it('with any byte changed either refuses or has pieces within the file', () => {
    const whole = new Uint8Array(buffer());
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 1, 0x40, 0x7f, 0xff]) {
        const changed = Uint8Array.from(whole);
        changed[at] = value;
        try {
          const index = openLayerIndex(changed.buffer);
          for (let number = 0; number < index.count; number++) {
            const { extents = [], size } = index.entry(number);
            let end = 0;
            for (const { start, length } of extents) {
              expect(start).toBeGreaterThanOrEqual(end);
              end = start + length;
            }
            expect(end).toBeLessThanOrEqual(size);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptLayerError);
        }
      }
    }
  });
});
