/** A read that a network which says nothing cannot hold up for ever. */

/** What the reading comes to; a TypeError, as of a connection that broke, when it takes more than `stall` milliseconds. */
export async function readInTime<T>(reading: Promise<T>, stall: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TypeError('the connection stalled')), stall);
  });
  try {
    return await Promise.race([reading, stalled]);
  } finally {
    clearTimeout(timer);
  }
}
