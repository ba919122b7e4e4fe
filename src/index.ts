/**
 * Layerbox as a library.
 *
 *     const sandbox = await createSandbox({ storage: 'memory' });
 *     await sandbox.docker(['pull', 'busybox']);
 *     const { stdout } = await sandbox.docker(['run', '--rm', 'busybox', 'echo', 'hello']);
 *     await sandbox.close();
 */

import { EventHub } from './rpc/event-hub.ts';
import { sandboxOver } from './rpc/facade.ts';
import { openInWorker } from './rpc/open.ts';
import type { Sandbox, SandboxOptions } from './rpc/sandbox.ts';

export type { ErrorData, ErrorJSON } from './engine/errors.ts';
export {
  BlobUnknownError,
  CancelledError,
  CannotStartError,
  ContainerNameInUseError,
  ContainerStateError,
  ContentMissingError,
  CorruptLayerError,
  DiffIDMismatchError,
  DigestMismatchError,
  ImageInUseError,
  InvalidDigestError,
  InvalidDocumentError,
  InvalidPlatformError,
  InvalidReferenceError,
  LayerboxError,
  LoginFailedError,
  MachineFailedError,
  MachineUnavailableError,
  ManifestUnknownError,
  NoMatchingPlatformError,
  NoSuchContainerError,
  NoSuchFileError,
  NoSuchImageError,
  NoSuchNetworkError,
  NoSuchVolumeError,
  NotYetError,
  RegistryDeniedError,
  RegistryResponseError,
  RegistryUnreachableError,
  SandboxInUseError,
  SizeMismatchError,
  StorageFailedError,
  StorageFullError,
  StorageNewerError,
  UnsupportedMediaTypeError,
  UsageError,
  VolumeInUseError,
} from './engine/errors.ts';
export type { LayerStatus, SandboxEvent, StampedEvent } from './engine/events.ts';
export type * from './rpc/sandbox.ts';

/**
 * Opens a sandbox: in a browser in a worker of its own, in Node in this process. Rejects with SandboxInUseError when
 * another tab has it open, with StorageFailedError when the browser gives no storage, and with RangeError for options
 * that can't be. The machine starts by itself; whoever needs it waits for it.
 */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  if (typeof document !== 'undefined') {
    const { sandbox, ready } = openInWorker(options);
    try {
      await ready;
    } catch (error) {
      await sandbox.close();
      throw error;
    }
    return sandbox;
  }
  if (options.storage === 'indexeddb') {
    throw new RangeError(
      'There is no IndexedDB outside of a browser: open the sandbox with storage "memory".',
    );
  }
  const { openInProcess } = await import('../workers/in-process.ts');
  const events = new EventHub();
  const host = await openInProcess(options, (event) => events.emit(event));
  return sandboxOver(Promise.resolve(host), events);
}
