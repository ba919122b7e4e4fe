/** What a read of a layer that is coming may cost, whatever the table of contents says. */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { addressBase } from '../../../src/engine/lazy/chunk-table.ts';
import type { DecodeStart } from '../../../src/engine/lazy/decode-chunk.ts';
import { LazyLayer } from '../../../src/engine/lazy/lazy-layer.ts';
import { readTableOfContents } from '../../../src/engine/lazy/table-of-contents.ts';
import { MemoryRanges } from './fixture.ts';

const MB = 1 << 20;
const diffID = `sha256:${'00'.repeat(32)}` as const;
const zeros = (length: number) =>
  `sha256:${createHash('sha256').update(new Uint8Array(length)).digest('hex')}`;
const payload = 400_000;

const read = (entries: readonly object[]) =>
  readTableOfContents(new TextEncoder().encode(JSON.stringify({ version: 1, entries })), {
    diffID,
    payloadEnd: payload,
  });

/** A file of chunks of so many bytes each. */
const chunked = (count: number, size: number, fields: (chunk: number) => object) =>
  Array.from({ length: count }, (_, i) => ({
    name: 'f',
    type: i === 0 ? 'reg' : 'chunk',
    ...(i === 0 && { size: count * size }),
    chunkOffset: i * size,
    chunkSize: size,
    chunkDigest: zeros(size),
    ...fields(i),
  }));

describe('a table of contents is refused, with the file named, when', () => {
  it.each([
    [
      'each chunk has a stream of its own that is far longer',
      chunked(3, 1, (i) => ({ offset: 100 * (i + 1), innerOffset: i === 0 ? 0 : 32 * MB - 1 })),
      'entry 1 of its table of contents for "f": its chunk of 1 bytes lies behind 33554431 others in its stream',
    ],
    [
      'a run of zeros is between two such chunks',
      [
        { name: 'f', type: 'reg', size: 3, offset: 100, chunkSize: 1, chunkDigest: zeros(1) },
        { name: 'f', type: 'chunk', chunkOffset: 1, chunkSize: 1, chunkType: 'zeros' },
        { name: 'f', type: 'chunk', offset: 200, innerOffset: 2, chunkOffset: 2, chunkDigest: zeros(1) },
      ],
      'entry 2 of its table of contents for "f": its chunk of 1 bytes lies behind 2 others',
    ],
    [
      'chunks of one stream are far from each other',
      chunked(3, 10, (i) => ({ offset: 100, innerOffset: i * 21 })),
      'entry 1 of its table of contents for "f": its chunk of 10 bytes lies behind 11 others',
    ],
    [
      'there are thousands of tiny ones',
      chunked(2000, 2, (i) => ({ offset: 100 + i })),
      'entry 64 of its table of contents for "f": the 64 chunks before it have 128 bytes together: at least 65536',
    ],
    [
      'there are thousands of tiny ones behind a large one',
      [
        ...chunked(1, 8 * MB, () => ({ offset: 100, size: 8 * MB + 130 })),
        ...Array.from({ length: 65 }, (_, i) => ({
          name: 'f',
          type: 'chunk',
          offset: 1000 + i,
          chunkOffset: 8 * MB + 2 * i,
          chunkSize: 2,
          chunkDigest: zeros(2),
        })),
      ],
      'entry 65 of its table of contents for "f": the 64 chunks before it have 128 bytes',
    ],
  ])('%s', (_, entries, message) => {
    expect(() => read(entries)).toThrow(CorruptLayerError);
    expect(() => read(entries)).toThrow(message);
  });
});

it.each([
  ['begins in the middle of a stream', chunked(2, 10, (i) => ({ offset: 100, innerOffset: MB + 10 * i }))],
  ['goes on in a stream of its own', chunked(2, 10, (i) => ({ offset: 100 * (i + 1), innerOffset: 10 * i }))],
  ['has many chunks that are no crowd', chunked(300, 1024, (i) => ({ offset: 100 + i }))],
])('a file that %s is read', (_, entries) => {
  expect(read(entries).chunks.count).toBe(entries.length);
});

/** A layer whose streams hold zeros, and what was decoded of it. */
function layerOf(entries: readonly object[], cacheLimit?: number) {
  const decoded: number[] = [];
  let running = 0;
  let most = 0;
  const decode: DecodeStart = async (_, length) => {
    decoded.push(length);
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    running -= 1;
    return { bytes: new Uint8Array(length) };
  };
  const lazy = new LazyLayer({
    table: read(entries),
    ranges: new MemoryRanges(new Uint8Array(payload)),
    decode,
    what: 'layer L',
    ...(cacheLimit !== undefined && { cacheLimit }),
  });
  return { lazy, decoded, all: () => decoded.reduce((sum, length) => sum + length, 0), most: () => most };
}

/** Files of one byte, each at the end of a stream of 8 MB that is 50 bytes in the blob. */
const bombs = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    name: `f${i}`,
    type: 'reg',
    size: 1,
    offset: 1 + 50 * i,
    innerOffset: 8 * MB - 1,
    chunkDigest: zeros(1),
  }));

/** Files of one byte in one stream. */
const tiny = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    name: `f${i}`,
    type: 'reg',
    size: 1,
    offset: 100,
    innerOffset: i,
    chunkDigest: zeros(1),
  }));
const landmark = { name: '.prefetch.landmark', type: 'reg', size: 1, chunkDigest: zeros(1), offset: 390_000 };

describe('a read', () => {
  it('decodes little more than is wanted of streams that are far longer than they look', async () => {
    const { lazy, all, decoded, most } = layerOf(bombs(200));
    expect(await lazy.read(addressBase + 3, 1)).toEqual(new Uint8Array(1));
    await expect.poll(() => decoded.length).toBe(3);
    // what was wanted, and what came along
    expect(all()).toBe(24 * MB);
    expect(most()).toBe(1);
  });

  it('brings a thousand of many tiny neighbours at most', async () => {
    const { lazy, decoded } = layerOf(tiny(3000));
    await lazy.read(addressBase, 1);
    await expect.poll(() => lazy.isBusy).toBe(false);
    expect([lazy.held, decoded]).toEqual([1000, [1000]]);
  });
});

describe('what is wanted first is fetched', () => {
  it('only as far as decoding it is worth', async () => {
    const { lazy, all } = layerOf([...bombs(100), landmark], 10 * MB);
    await lazy.prefetch();
    await expect.poll(() => lazy.isBusy).toBe(false);
    // as much may come along with it
    expect(all()).toBeLessThanOrEqual(20 * MB + 16 * MB);
    expect(all()).toBeGreaterThan(0);
  });

  it('only up to so many chunks', async () => {
    const { lazy } = layerOf([...tiny(10_500), landmark]);
    await lazy.prefetch();
    expect(lazy.held).toBe(10_000);
  });
});
