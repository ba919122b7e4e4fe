/** What the browser's storage throws, as Layerbox's errors. */

import { LayerboxError, StorageFailedError, StorageFullError, StorageNewerError } from '../engine/errors.ts';

/**
 * The error to throw for what a storage operation threw. `doing` completes
 * "while ...": `writing a layer`. Errors that are Layerbox's own pass unchanged;
 * a full disk or quota is StorageFullError, anything else StorageFailedError.
 */
export function storageFailure(cause: unknown, doing: string): LayerboxError {
  if (cause instanceof LayerboxError) return cause;
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : typeof cause;
  const message = cause instanceof Error || cause instanceof DOMException ? cause.message : String(cause);
  if (name === 'QuotaExceededError') return storageFull(doing, cause);
  if (name === 'InvalidStateError') {
    return new StorageFailedError(
      `the browser closed its storage while ${doing}: the site's data was cleared, or another tab runs a newer version; reload the page`,
      { doing, name },
      { cause },
    );
  }
  return new StorageFailedError(
    `the browser's storage failed while ${doing}: ${name}: ${message}`,
    { doing, name },
    { cause },
  );
}

/** The error of a storage that is full; `doing` as `storageFailure` has it. */
export function storageFull(doing: string, cause?: unknown): LayerboxError {
  return new StorageFullError(
    `no space left in the browser's storage while ${doing}: remove images and containers that are not needed, or free space on the disk`,
    { doing },
    { cause },
  );
}

/** As `storageFailure`, for what opening one of a sandbox's databases threw: StorageNewerError among it. */
export function openingFailure(cause: unknown, doing: string, sandbox: string): LayerboxError {
  if (cause instanceof DOMException && cause.name === 'VersionError') {
    return new StorageNewerError(
      `sandbox ${JSON.stringify(sandbox)} was written by a newer version of Layerbox: reload the page to get that version, or open a sandbox of another name`,
      { sandbox },
      { cause },
    );
  }
  return storageFailure(cause, doing);
}
