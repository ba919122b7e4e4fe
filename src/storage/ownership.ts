/**
 * One tab owns a sandbox at a time. The owner holds a Web Lock of the sandbox's
 * name for as long as it lives; the browser lets go of it when the tab or its
 * worker dies, however it dies.
 *
 * Another tab may take it over: it asks the owner, which ends in good order and
 * lets go. An owner that does not answer is robbed of the lock. It may wake up
 * later and go on where it was, so each owner has a token that it puts into
 * the databases when it opens them, and whatever would change them looks
 * whether its own is still there, in the same transaction.
 */

import { type LayerboxError, SandboxInUseError, StorageFailedError } from '../engine/errors.ts';
import { hexOf } from '../engine/oci/digest.ts';

export interface Ownership {
  readonly sandbox: string;
  /** Nobody else has had it, or will. */
  readonly token: string;
  /** Resolves when another tab wants to take over; it waits for `release` for a while. */
  readonly asked: Promise<void>;
  /**
   * Resolves when the lock is gone: after `release`, or when another tab took
   * it over by force. Whoever owned it then must stop writing at once.
   */
  readonly lost: Promise<void>;
  release(): void;
}

export interface AcquireOptions {
  /** Milliseconds to wait for an owner. Default 3000; when taking over 15000. */
  readonly patience?: number;
  /** Ask the owner to let go, and rob it when it does not. */
  readonly takeOver?: boolean;
}

/** What is said on the channel of a sandbox. */
const HAND_OVER = 'hand over';

/**
 * Takes the sandbox. Throws SandboxInUseError when another tab still owns it
 * after `patience` milliseconds, unless it is to be taken over: a page that is being reloaded lives on for a
 * moment beside its successor. Throws StorageFailedError where there are no Web
 * Locks: on a page that came neither by https nor from this computer.
 */
export async function acquireSandbox(sandbox: string, options: AcquireOptions = {}): Promise<Ownership> {
  const { takeOver = false } = options;
  const patience = options.patience ?? (takeOver ? 15_000 : 3000);
  const locks: LockManager | undefined = navigator.locks;
  if (locks === undefined) {
    throw new StorageFailedError(
      'this page has no Web Locks, and two tabs could spoil each other’s containers: open it by https or from localhost',
      { sandbox },
    );
  }
  const lock = { locks, name: `layerbox/${sandbox}` };
  if (takeOver) post(lock.name, HAND_OVER);
  const held =
    (await request(lock, { signal: AbortSignal.timeout(patience) })) ??
    (takeOver ? await request(lock, { steal: true }) : undefined);
  if (held === undefined) throw inUse(sandbox);
  const heard = listen(lock.name);
  return {
    sandbox,
    token: hexOf(crypto.getRandomValues(new Uint8Array(16))),
    asked: heard.asked,
    lost: held.lost.then(heard.stop),
    release: held.release,
  };
}

/** That another tab has the sandbox, or has it by now. */
export function inUse(sandbox: string): LayerboxError {
  return new SandboxInUseError(
    `sandbox ${JSON.stringify(sandbox)} is in use in another tab of this browser: close that tab or take over from it, or open a sandbox of another name`,
    { sandbox },
  );
}

/** Undefined when the signal's time was up. */
async function request(
  { locks, name }: { readonly locks: LockManager; readonly name: string },
  options: LockOptions,
): Promise<{ readonly lost: Promise<void>; readonly release: () => void } | undefined> {
  return new Promise((resolve, reject) => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    const ended = locks.request(name, options, () => {
      // robbed of it, the request rejects
      resolve({ lost: ended.then(undefined, () => undefined), release });
      return promise;
    });
    ended.catch((cause: unknown) => {
      if (cause instanceof DOMException && cause.name === 'TimeoutError') resolve(undefined);
      else
        reject(
          new StorageFailedError(`the browser refused the lock ${JSON.stringify(name)}: ${cause}`, { name }),
        );
    });
  });
}

/** Says it to all tabs that have the sandbox's channel open. */
function post(name: string, text: string): void {
  const channel = new BroadcastChannel(name);
  channel.postMessage(text);
  channel.close();
}

function listen(name: string): { readonly asked: Promise<void>; readonly stop: () => void } {
  const channel = new BroadcastChannel(name);
  const asked = new Promise<void>((resolve) => {
    channel.addEventListener('message', ({ data }) => {
      if (data === HAND_OVER) resolve();
    });
  });
  return { asked, stop: () => channel.close() };
}
