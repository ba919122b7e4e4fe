import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CopiedBytes } from '../../../src/engine/archive/gathered-bytes.ts';
import { hashingWriters } from '../../../src/engine/image/hashing-writer.ts';
import { IngestStage, pieceLength } from '../../../src/engine/image/ingest-stage.ts';
import type { Digest } from '../../../src/engine/oci/digest.ts';
import { MemoryContentStore } from '../../../src/engine/store/memory-content.ts';
import { codecsModule } from '../archive/unpacking.ts';

const codecs = async () => codecsModule;
const content = new Uint8Array(2 * pieceLength + 1_000_003);
for (let at = 0; at < content.length; at++) content[at] = (at * 2_654_435_761) >>> 24;

describe('IngestStage', () => {
  it.each(['sha256', 'sha512'] as const)(
    'digests by %s as it stores, and keeps no piece',
    async (algorithm) => {
      const digest: Digest = `${algorithm}:${createHash(algorithm).update(content).digest('hex')}`;
      const store = new MemoryContentStore();
      const bytes = new CopiedBytes(0);
      const stage = new IngestStage(await hashingWriters(store, codecs)('one', algorithm), bytes);
      for (let at = 0; at < content.length; at += 700_001) {
        bytes.append(content.subarray(at, at + 700_001));
        await stage.advance();
      }
      expect(await stage.finish()).toBe(digest);
      await stage.commit(digest);
      expect(Buffer.from(await store.read(digest)).equals(content)).toBe(true);
      expect(() => bytes.view(0, 1)).toThrow(RangeError);
    },
  );

  it('digests nothing at all', async () => {
    const digest: Digest = `sha256:${createHash('sha256').digest('hex')}`;
    const store = new MemoryContentStore();
    const writer = await hashingWriters(store, codecs)('none', 'sha256');
    const stage = new IngestStage(writer, new CopiedBytes(0));
    expect(await stage.finish()).toBe(digest);
    await stage.commit(digest);
    expect(await store.stat(digest)).toEqual({ size: 0 });
  });
});
