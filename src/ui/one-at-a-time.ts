/**
 * A function that runs `read`; called while it runs, it runs once more
 * afterwards, however often it was called. `read` deals with its own failures.
 */
export function oneAtATime(read: () => Promise<void>): () => void {
  let running = false;
  let stale = false;
  const run = async () => {
    running = true;
    try {
      while (stale) {
        stale = false;
        await read();
      }
    } finally {
      running = false;
    }
  };
  return () => {
    stale = true;
    if (!running) void run();
  };
}
