/** The media types of OCI (image-spec, media-types.md) and of Docker's schema 2, and what they mean. */

import { UnsupportedMediaTypeError } from '../errors.ts';

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
export const OCI_LAYER_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const OCI_LAYER_ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd';
export const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
export const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar';
export const DOCKER_LAYER_GZIP = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

/** How a layer's bytes are compressed. */
export type LayerCompression = 'none' | 'gzip' | 'zstd';

const compressions = new Map<string, LayerCompression>([
  [OCI_LAYER, 'none'],
  [OCI_LAYER_GZIP, 'gzip'],
  [OCI_LAYER_ZSTD, 'zstd'],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar', 'none'],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'gzip'],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar+zstd', 'zstd'],
  [DOCKER_LAYER, 'none'],
  [DOCKER_LAYER_GZIP, 'gzip'],
  ['application/vnd.docker.image.rootfs.diff.tar.zstd', 'zstd'],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar', 'none'],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'gzip'],
]);

/** The compression that a layer's media type names. UnsupportedMediaTypeError for what is no layer. */
export function layerCompression(mediaType: string): LayerCompression {
  const compression = compressions.get(mediaType);
  if (compression !== undefined) return compression;
  throw new UnsupportedMediaTypeError(
    `unsupported layer media type ${JSON.stringify(mediaType)}: a layer is a tar, plain or compressed with gzip or zstd`,
    { mediaType },
  );
}

/** What a document of this media type is, or undefined. */
export function documentKind(mediaType: string): 'index' | 'manifest' | 'schema1' | undefined {
  if (mediaType === OCI_INDEX || mediaType === DOCKER_INDEX) return 'index';
  if (mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST) return 'manifest';
  return /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/.test(mediaType)
    ? 'schema1'
    : undefined;
}

/** True for the config of an image; other artifacts (charts, signatures) have configs of their own types. */
export function isImageConfig(mediaType: string): boolean {
  return mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG;
}
