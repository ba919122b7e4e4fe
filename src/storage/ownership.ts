/**
 * One tab owns a sandbox at a time. The owner holds a Web Lock of the sandbox's
 * name for as long as it lives; the browser lets go of it when the tab or its
 * worker dies, however it dies.
 */

import { SandboxInUseError, StorageFailedError } from '../engine/errors.ts';

export interface Ownership {
  readonly sandbox: string;
  /**
   * Resolves when the lock is gone: after `release`, or when another tab took
   * it over by force. Whoever owned it then must stop writing at once.
   */
  readonly lost: Promise<void>;
  release(): void;
}

/**
 * Takes the sandbox. Throws SandboxInUseError when another tab still owns it
 * after `patience` milliseconds: a page that is being reloaded lives on for a
 * moment beside its successor. Throws StorageFailedError where there are no Web
 * Locks: on a page that came neither by https nor from this computer.
 */
export async function acquireSandbox(
  sandbox: string,
  { patience = 3000 }: { readonly patience?: number } = {},
): Promise<Ownership> {
  const locks: LockManager | undefined = navigator.locks;
  if (locks === undefined) {
    throw new StorageFailedError(
      'this page has no Web Locks, and two tabs could spoil each other’s containers: open it by https or from localhost',
      { sandbox },
    );
  }
  return new Promise((resolve, reject) => {
    const held = Promise.withResolvers<void>();
    const ended = locks.request(lockName(sandbox), { signal: AbortSignal.timeout(patience) }, () => {
      resolve({ sandbox, lost: ended.catch(() => undefined), release: held.resolve });
      return held.promise;
    });
    ended.catch((cause: unknown) => {
      const waitedInVain = cause instanceof DOMException && cause.name === 'TimeoutError';
      reject(
        waitedInVain
          ? new SandboxInUseError(
              `sandbox ${JSON.stringify(sandbox)} is in use in another tab of this browser: close that tab, or open a sandbox of another name`,
              { sandbox },
            )
          : new StorageFailedError(
              `the browser refused the lock of sandbox ${JSON.stringify(sandbox)}: ${cause}`,
              {
                sandbox,
              },
            ),
      );
    });
  });
}

function lockName(sandbox: string): string {
  return `layerbox/${sandbox}`;
}
