/** Bytes as gzip (RFC 1952), by the platform's compressor: one member, without name and time, so that one platform gives the same bytes each time. */

/**
 * What `source` gives, compressed, as it comes. The next piece of the source is asked for when the compressor has room.
 * Rejects with what the source throws; giving it up ends the source.
 */
export async function* gzipped(
  source: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const { readable, writable } = new CompressionStream('gzip');
  const writer = writable.getWriter();
  const reader = readable.getReader();
  let failure: { readonly reason: unknown } | undefined;
  let isOver = false;
  const feed = async () => {
    try {
      for await (const piece of source) {
        if (isOver) return;
        await writer.write(piece);
      }
      await writer.close();
    } catch (reason) {
      failure = { reason };
      // the reader waits for more: this ends it; it is over when it was the compressor that failed
      await writer.abort(reason).catch(() => undefined);
    }
  };
  const fed = feed();
  try {
    for (;;) {
      const step = await reader.read();
      if (step.done) break;
      yield step.value;
    }
  } catch (error) {
    await fed;
    throw failure === undefined ? error : failure.reason;
  } finally {
    isOver = true;
    await reader.cancel().catch(() => undefined); // of a stream that failed there is nothing left to end
    await fed;
  }
}

/** The bytes of a source in pieces of `length`, the last one shorter: each write of a store costs a transaction. */
export async function* inPieces(
  source: AsyncIterable<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  let piece = new Uint8Array(length);
  let filled = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const step = Math.min(bytes.length - at, length - filled);
      piece.set(bytes.subarray(at, at + step), filled);
      filled += step;
      at += step;
      if (filled < length) continue;
      yield piece;
      piece = new Uint8Array(length);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.slice(0, filled);
}
