import { describe, expect, it } from 'vitest';
import * as errors from '../../../src/engine/errors.ts';
import * as layerbox from '../../../src/index.ts';

describe('the library', () => {
  it('exports a door, its errors and nothing else', () => {
    expect(Object.keys(layerbox).sort()).toMatchInlineSnapshot(`
      [
        "BlobUnknownError",
        "CancelledError",
        "CannotStartError",
        "ContainerNameInUseError",
        "ContainerStateError",
        "ContentMissingError",
        "CorruptLayerError",
        "DiffIDMismatchError",
        "DigestMismatchError",
        "ImageInUseError",
        "InvalidDigestError",
        "InvalidDocumentError",
        "InvalidPlatformError",
        "InvalidReferenceError",
        "LayerboxError",
        "LoginFailedError",
        "MachineFailedError",
        "MachineUnavailableError",
        "ManifestUnknownError",
        "NoMatchingPlatformError",
        "NoSuchContainerError",
        "NoSuchFileError",
        "NoSuchImageError",
        "NoSuchNetworkError",
        "NoSuchVolumeError",
        "NotYetError",
        "RegistryDeniedError",
        "RegistryResponseError",
        "RegistryUnreachableError",
        "SandboxInUseError",
        "SizeMismatchError",
        "StorageFailedError",
        "StorageFullError",
        "StorageNewerError",
        "UnsupportedMediaTypeError",
        "UsageError",
        "VolumeInUseError",
        "createSandbox",
      ]
    `);
  });

  it('exports every class of error that the engine throws', () => {
    const classes = Object.keys(errors).filter((name) => name.endsWith('Error'));
    expect(Object.keys(layerbox)).toEqual(expect.arrayContaining(classes));
  });
});
