/** Handles of the private file system that are asked something, and files that somebody else holds. */

const underWay = new Map<FileSystemHandle, number>();

/**
 * The answer that a handle gives, during which it is referred to from here: when nothing else does and Chromium (156)
 * collects the handle, the promise of the answer never settles.
 */
export async function held<T>(handle: FileSystemHandle, ask: () => Promise<T>): Promise<T> {
  underWay.set(handle, (underWay.get(handle) ?? 0) + 1);
  try {
    return await ask();
  } finally {
    const others = (underWay.get(handle) ?? 1) - 1;
    if (others === 0) underWay.delete(handle);
    else underWay.set(handle, others);
  }
}

/** Milliseconds between two tries to change a file that a worker, which is ending, still holds. */
const patience = [10, 50, 200];

/** What `change` comes to, which is tried again when somebody else has the file open; rejects when that lasts. */
export async function patiently<T>(change: () => Promise<T>): Promise<T> {
  for (const wait of patience) {
    try {
      return await change();
    } catch (cause) {
      if (!isHeldByOther(cause)) throw cause;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return change();
}

/** Whether that is what a change of a file throws which somebody else has open. */
export function isHeldByOther(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === 'NoModificationAllowedError';
}
