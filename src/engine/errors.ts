/**
 * What can go wrong, one class per failure. Each has a stable `code`, a `data`
 * object of plain values, and a message that is a sentence: what was wrong with
 * which value, and what to do. `toJSON` and `errorFromJSON` carry them across a
 * worker boundary without loss of class.
 */

/** Plain values only, so that an error survives structured clone and JSON. */
export type ErrorData = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface ErrorJSON {
  readonly code: string;
  readonly message: string;
  readonly data: ErrorData;
}

/** The root of all errors that Layerbox throws on purpose. */
export class LayerboxError extends Error {
  readonly code: string = 'Layerbox';
  readonly data: ErrorData;

  constructor(message: string, data: ErrorData = {}, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.data = data;
  }

  toJSON(): ErrorJSON {
    return { code: this.code, message: this.message, data: this.data };
  }
}

type ErrorClass = new (message: string, data?: ErrorData, options?: { cause?: unknown }) => LayerboxError;
const classes = new Map<string, ErrorClass>();

/** Declares the class of one failure. `code` is part of the public interface and never changes. */
function failure(code: string): ErrorClass {
  const named = {
    [`${code}Error`]: class extends LayerboxError {
      override readonly code = code;
    },
  };
  const created = named[`${code}Error`];
  if (created === undefined) throw new TypeError(code);
  classes.set(code, created);
  return created;
}

/** The error that `toJSON` described; an unknown code gives a plain LayerboxError that keeps the message. */
export function errorFromJSON(json: ErrorJSON): LayerboxError {
  const Class = classes.get(json.code) ?? LayerboxError;
  return new Class(json.message, json.data);
}

// -- references, digests, documents ------------------------------------------
export const InvalidReferenceError = failure('InvalidReference');
export const InvalidDigestError = failure('InvalidDigest');
export const InvalidPlatformError = failure('InvalidPlatform');
/** A manifest, index, config or layout that does not follow its specification. */
export const InvalidDocumentError = failure('InvalidDocument');
export const UnsupportedMediaTypeError = failure('UnsupportedMediaType');
export const NoMatchingPlatformError = failure('NoMatchingPlatform');

// -- registries -----------------------------------------------------------------
/** No answer at all: down, refused, or stopped by CORS; the browser does not say which. */
export const RegistryUnreachableError = failure('RegistryUnreachable');
export const ManifestUnknownError = failure('ManifestUnknown');
export const BlobUnknownError = failure('BlobUnknown');
export const RegistryDeniedError = failure('RegistryDenied');
/** A registry did not take the credential it was shown. */
export const LoginFailedError = failure('LoginFailed');
/** Any other answer that is no success: data.status, data.url. */
export const RegistryResponseError = failure('RegistryResponse');
export const DigestMismatchError = failure('DigestMismatch');
export const SizeMismatchError = failure('SizeMismatch');
export const DiffIDMismatchError = failure('DiffIDMismatch');
export const CorruptLayerError = failure('CorruptLayer');

// -- images, containers, machine ----------------------------------------------------
export const NoSuchImageError = failure('NoSuchImage');
export const ImageInUseError = failure('ImageInUse');
export const NoSuchContainerError = failure('NoSuchContainer');
export const ContainerNameInUseError = failure('ContainerNameInUse');
/** The container is in a state that does not allow it: not running, running, being removed. */
export const ContainerStateError = failure('ContainerState');
/** The program could not be started; data.exitCode is 126 or 127 as Docker has it. */
export const CannotStartError = failure('CannotStart');
export const MachineUnavailableError = failure('MachineUnavailable');
export const MachineFailedError = failure('MachineFailed');
export const NoSuchFileError = failure('NoSuchFile');
export const NoSuchVolumeError = failure('NoSuchVolume');
export const NoSuchNetworkError = failure('NoSuchNetwork');
export const VolumeInUseError = failure('VolumeInUse');

// -- storage ------------------------------------------------------------------------
export const ContentMissingError = failure('ContentMissing');
export const StorageFullError = failure('StorageFull');
export const StorageFailedError = failure('StorageFailed');
/** What is stored was written by a newer version of Layerbox. */
export const StorageNewerError = failure('StorageNewer');
export const SandboxInUseError = failure('SandboxInUse');

// -- the command line ------------------------------------------------------------------
/** The words of a command are wrong; data.command names it, so that its usage can be shown. */
export const UsageError = failure('Usage');
export const NotYetError = failure('NotYet');
export const CancelledError = failure('Cancelled');
