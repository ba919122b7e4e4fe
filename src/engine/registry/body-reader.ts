/** Reading the body of an answer: chunks with memory of their own, or all of them in the same memory. */

type Chunk = Uint8Array<ArrayBuffer>;

export interface BodyReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Chunk | undefined }>;
  cancel(reason?: unknown): Promise<void>;
}

/** Bytes of a chunk at most where memory is used again: enough to make a read cheap, few enough to stay in a processor's cache. */
const reusedLength = 256 << 10;

/**
 * A reader of a body. With `reuses` a chunk is good until the next is asked for: its memory is filled again
 * (Streams Standard, ReadableStreamBYOBReader), where new memory for each chunk would cost more than all else
 * that reading does. Bodies that cannot be read like that are read as others are.
 */
export function bodyReader(body: ReadableStream<Chunk>, reuses: boolean): BodyReader {
  const reader = reuses ? byobReader(body) : undefined;
  if (reader === undefined) return body.getReader();
  let memory = new ArrayBuffer(reusedLength);
  return {
    read: async () => {
      const step = await reader.read(new Uint8Array(memory));
      // what was given is detached; the same memory comes back under a new name
      if (step.value !== undefined) memory = step.value.buffer;
      return step;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

function byobReader(body: ReadableStream<Chunk>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: 'byob' });
  } catch (error) {
    // not a stream of bytes, as those that scripts make
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
