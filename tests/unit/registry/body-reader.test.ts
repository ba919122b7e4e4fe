import { describe, expect, it } from 'vitest';
import { bodyReader } from '../../../src/engine/registry/body-reader.ts';

type Chunk = Uint8Array<ArrayBuffer>;
const chunks: readonly Chunk[] = [[1, 2, 3], [4, 5], [6]].map((bytes) => Uint8Array.from(bytes));

/** What each read gave, copied, and the address space of the memory it lay in. */
async function readAll(body: ReadableStream<Chunk>, reuses: boolean) {
  const reader = bodyReader(body, reuses);
  const bytes: number[] = [];
  const lengths: number[] = [];
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    bytes.push(...(step.value ?? []));
    lengths.push(step.value?.buffer.byteLength ?? 0);
  }
  return { bytes, lengths };
}

/** A stream of bytes, as the bodies of responses are. */
function byteStream(cancelled?: (reason: unknown) => void): ReadableStream<Chunk> {
  const left = [...chunks];
  return new ReadableStream({
    type: 'bytes',
    pull: (controller) => {
      const next = left.shift();
      if (next !== undefined) controller.enqueue(next.slice());
      else {
        controller.close();
        controller.byobRequest?.respond(0);
      }
    },
    ...(cancelled !== undefined && { cancel: cancelled }),
  });
}

describe('the reader of a body', () => {
  it('gives all bytes, in the same memory each time when that is wanted', async () => {
    const { bytes, lengths } = await readAll(byteStream(), true);
    expect(bytes).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new Set(lengths)).toEqual(new Set([256 << 10]));
  });

  it('gives chunks with memory of their own otherwise', async () => {
    const { bytes, lengths } = await readAll(byteStream(), false);
    expect(bytes).toEqual([1, 2, 3, 4, 5, 6]);
    expect(lengths).toEqual([3, 2, 1]);
  });

  it('reads what is no stream of bytes as it comes', async () => {
    const body = new ReadableStream<Chunk>({
      start: (controller) => {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
    expect((await readAll(body, true)).bytes).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('tells the body when it is given up', async () => {
    const reasons: unknown[] = [];
    const reader = bodyReader(
      byteStream((reason) => reasons.push(reason)),
      true,
    );
    await reader.read();
    await reader.cancel('enough');
    expect(reasons).toEqual(['enough']);
  });
});
