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
  const how = await Promise.race([started.finished, attachment.left]);
  if (how === 'detached') return 0;
  if (how === 'gone') return GONE;
  attachment.end();
  if (how.error !== '') await print.error(`docker: ${how.error}`);
  return how.code;
}
