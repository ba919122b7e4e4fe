/** Handles of the private file system that are asked something. */

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
