/** Tables as zstd:chunked has them, and tables as nobody should have them. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { CannotBeLazy } from '../../../src/engine/lazy/cannot-be-lazy.ts';
import { addressBase } from '../../../src/engine/lazy/chunk-table.ts';
import { stargzFooter } from '../../../src/engine/lazy/stargz-footer.ts';
import { readTableOfContents } from '../../../src/engine/lazy/table-of-contents.ts';

const diffID = `sha256:${'00'.repeat(32)}` as const;
const digest = (n: number) => `sha256:${n.toString(16).padStart(64, '0')}`;
const read = (entries: unknown, payloadEnd = 10_000) =>
  readTableOfContents(new TextEncoder().encode(JSON.stringify({ version: 1, entries })), {
    diffID,
    payloadEnd,
  });

const whole = { type: 'reg', name: 'a', size: 100, offset: 50, endOffset: 90, digest: digest(1) };
const parts = [
  {
    type: 'reg',
    name: 'b',
    size: 300,
    offset: 200,
    endOffset: 290,
    chunkSize: 100,
    chunkDigest: digest(2),
    digest: digest(9),
  },
  { type: 'chunk', name: 'b', offset: 240, chunkOffset: 100, chunkSize: 50, chunkType: 'zeros' },
  { type: 'chunk', name: 'b', offset: 260, chunkOffset: 150, chunkSize: 150, chunkDigest: digest(3) },
];

describe('a table with endOffset', () => {
  it('says of each chunk where its frame is', () => {
    const { chunks, index } = read([whole, ...parts]);
    const rows = Array.from({ length: chunks.count }, (_, chunk) => [
      chunks.start(chunk) - addressBase,
      chunks.isStored(chunk) ? [chunks.offset(chunk), chunks.end(chunk), chunks.digest(chunk)] : 'zeros',
    ]);
    expect(rows).toEqual([
      [0, [50, 90, digest(1)]],
      [100, [200, 260, digest(2)]],
      [200, 'zeros'],
      [250, [260, 290, digest(3)]],
    ]);
    expect(index.entry(index.find('b') ?? 0).offset).toBe(addressBase + 100);
    expect([0, 99, 100, 199, 200, 250, 399].map((address) => chunks.find(addressBase + address))).toEqual([
      0, 0, 1, 1, 2, 3, 3,
    ]);
  });

  it.each([
    ['behind the content', { ...whole, endOffset: 10_001 }],
    ['before its start', { ...whole, endOffset: 50 }],
  ])('is refused where a file ends %s', (_, entry) => {
    expect(() => read([entry])).toThrow(/for "a": its content ends at byte/);
  });
});

it('a chunk that goes backwards is refused, behind a run of zeros too', () => {
  const [first, zeros, last] = parts;
  expect(() => read([first, zeros, { ...last, offset: 150 }])).toThrow(
    'its stream at byte 150 of the layer is not behind',
  );
});

describe('what a table may cost', () => {
  it('is bounded where a stream is said to be far longer than its content', () => {
    const { chunks } = read([{ type: 'reg', name: 'a', size: 10, offset: 1, chunkDigest: digest(1) }], 1e9);
    expect(chunks.end(0) - chunks.offset(0)).toBeLessThan(5000);
  });

  it.each(['{}', '[]'])('is bounded for what becomes many times as large in memory: %s', (value) => {
    const bytes = Buffer.from(`{"version":1,"entries":[${`${value},`.repeat(2_000_000)}${value}]}`);
    const source = { diffID, payloadEnd: 100 };
    expect(() => readTableOfContents(bytes, source)).toThrow('more than 2000000 objects and lists');
  });

  it('is nothing for a terabyte of zeros', () => {
    const zeros = {
      type: 'reg',
      name: 'a',
      size: 2 ** 40,
      offset: 1,
      chunkType: 'zeros',
      chunkSize: 2 ** 40,
    };
    expect(read([zeros]).chunks.count).toBe(1);
  });
});

describe('a table is refused like the tar would be', () => {
  const file = (name: string) => ({ type: 'reg', name, size: 0 });

  it('when symlinks make it deeper than a path is long', () => {
    const shallow = [{ type: 'symlink', name: 's', linkName: 'd/'.repeat(1000) }, file('s/f')];
    expect(read(shallow).index.count).toBe(1003);
    expect(() => read([...shallow, file(`s/${'e/'.repeat(1500)}f`)])).toThrow(
      /^"s\/e\/e.*\.\.\." cannot be unpacked: it is 2049 directories deep, and 2048 are allowed$/,
    );
  });

  it('when a hard link leads to a directory', () => {
    expect(() => read([file('d/f'), { type: 'hardlink', name: 'l', linkName: 'd/..' }])).toThrow(
      '"d/.." cannot be unpacked: it is the target of a hard link, and a directory',
    );
  });
});

describe('whatever a table says', () => {
  const wild = fc.oneof(
    fc.constantFrom(
      0,
      1,
      -1,
      50,
      2 ** 53,
      2 ** 60,
      1.5,
      '',
      'a',
      '../..',
      '/',
      '.wh.',
      '.wh..wh..opq',
      'x'.repeat(300),
      null,
      true,
    ),
    fc.constantFrom(
      digest(1),
      'sha256:',
      'reg',
      'dir',
      'chunk',
      'hardlink',
      'symlink',
      'zeros',
      '0001-01-01T00:00:00Z',
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const fields = [
    ...['type', 'name', 'size', 'mode', 'uid', 'linkName', 'modtime', 'xattrs', 'digest', 'devMajor'],
    ...['offset', 'endOffset', 'innerOffset', 'chunkOffset', 'chunkSize', 'chunkDigest', 'chunkType'],
  ];
  const changed = fc.array(fc.tuple(fc.nat(3), fc.constantFrom(...fields), wild), { maxLength: 5 });

  it('it is read, or refused with a reason', () => {
    fc.assert(
      fc.property(changed, (changes) => {
        const entries: Record<string, unknown>[] = [whole, ...parts].map((entry) => ({ ...entry }));
        for (const [at, field, value] of changes) Object.assign(entries[at] ?? {}, { [field]: value });
        try {
          const { chunks, index } = read(entries);
          for (let number = 0; number < index.count; number++) {
            const { type, offset, size } = index.entry(number);
            if (type === 'file' && offset + size > addressBase + chunks.size)
              throw new Error('content that is nowhere');
          }
          for (let chunk = 0; chunk < chunks.count; chunk++) {
            if (chunks.isStored(chunk) && chunks.end(chunk) <= chunks.offset(chunk))
              throw new Error('an empty stream');
          }
        } catch (error) {
          if (!(error instanceof CorruptLayerError) && !(error instanceof CannotBeLazy)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('or whatever is no table at all', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 80 }),
          fc.json().map((text) => new TextEncoder().encode(text)),
        ),
        (bytes) => {
          try {
            readTableOfContents(bytes, { diffID, payloadEnd: 100 });
          } catch (error) {
            if (!(error instanceof CorruptLayerError) && !(error instanceof CannotBeLazy)) throw error;
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('a footer leads nowhere but into the layer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 40, maxLength: 60 }), fc.nat(1000), (bytes, size) => {
        const footer = stargzFooter(bytes, size);
        expect(footer === undefined || footer.tocOffset < size).toBe(true);
      }),
    );
  });
});
