/** A command that stays with a container's program until it ends or is let go. */

import type { Attachment } from '../container/attach.ts';
import type { Containers, Started } from '../container/containers.ts';
import type { Printer } from './printer.ts';

/** A client that was killed or went away: 128 and SIGINT. */
const GONE = 130;

/**
 * Starts the container with a client attached and resolves with the exit code of its program once its files are safe;
 * with 0 when the keys let it go. Rejects as `Containers.start` does.
 */
export async function runAttached(
  containers: Containers,
  id: string,
  attachment: Attachment,
  print: Printer,
): Promise<number> {
  let started: Started;
  try {
    started = await containers.start(id, [attachment]);
  } catch (error) {
    attachment.end();
    throw error;
  }
  return attachedEnding(started, attachment, print);
}

/** The exit code of a command whose client is attached to what was started; 0 when the keys let it go. */
export async function attachedEnding(
  started: Started,
  attachment: Attachment,
  print: Printer,
): Promise<number> {
  const how = await Promise.race([started.finished, attachment.left]);
  // as with Docker, the program goes on without its client, whose reader may be a `head` that has enough
  if (how === 'detached') return 0;
  if (how === 'gone') return GONE;
  attachment.end();
  if (how.error !== '') await print.error(`docker: ${how.error}`);
  return how.code;
}
