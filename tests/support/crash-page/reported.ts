/** Tells whoever is going to kill the page what it does, as it does it. */

/**
 * Runs an operation between its two reports. It begins when it is known that it does: what was done and never told of
 * could not be told from what must not have happened.
 */
export const reported = (operation: string, subject: string, work: () => Promise<unknown>): Promise<void> =>
  reportedAll(operation, [subject], work);

/** As `reported`, of one operation on several things. */
export async function reportedAll(
  operation: string,
  subjects: readonly string[],
  work: () => Promise<unknown>,
): Promise<void> {
  for (const subject of subjects) await window.tellKiller(`begin ${operation} ${subject}`);
  await work();
  // whether this is heard in time is the killer's luck; nothing waits for it
  for (const subject of subjects) void window.tellKiller(`acked ${operation} ${subject}`);
}
