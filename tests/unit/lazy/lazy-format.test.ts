import { describe, expect, it } from 'vitest';
import { CannotBeLazy } from '../../../src/engine/lazy/cannot-be-lazy.ts';
import { lazyFormat } from '../../../src/engine/lazy/lazy-format.ts';
import {
  DOCKER_LAYER_GZIP,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
} from '../../../src/engine/oci/media-type.ts';

const tocDigest = `sha256:${'ab'.repeat(32)}` as const;
const stargz = { 'containerd.io/snapshot/stargz/toc.digest': tocDigest };
const chunked = (position: string, prefix = 'io.github.containers') => ({
  [`${prefix}.zstd-chunked.manifest-checksum`]: tocDigest,
  [`${prefix}.zstd-chunked.manifest-position`]: position,
});
const format = (mediaType: string, annotations?: Record<string, string>) =>
  lazyFormat({
    mediaType,
    digest: `sha256:${'0'.repeat(64)}`,
    size: 1000,
    ...(annotations && { annotations }),
  });

describe('lazyFormat', () => {
  const table = { kind: 'zstd:chunked', tocDigest, offset: 800, length: 100, uncompressedLength: 300 };
  it.each([
    ['eStargz', OCI_LAYER_GZIP, stargz, { kind: 'estargz', tocDigest }],
    ['eStargz of Docker', DOCKER_LAYER_GZIP, stargz, { kind: 'estargz', tocDigest }],
    ['zstd:chunked', OCI_LAYER_ZSTD, chunked('800:100:300:1'), table],
    ['zstd:chunked of 2022', OCI_LAYER_ZSTD, chunked('800:100:300:1', 'io.containers'), table],
    ['no annotations', OCI_LAYER_GZIP, undefined, undefined],
    ['others', OCI_LAYER_GZIP, { 'org.example': 'x' }, undefined],
    ['eStargz on what is no gzip', OCI_LAYER, stargz, undefined],
    ['zstd:chunked on what is no zstd', OCI_LAYER_GZIP, chunked('800:100:300:1'), undefined],
    [
      'a position without a checksum',
      OCI_LAYER_ZSTD,
      { 'io.github.containers.zstd-chunked.manifest-position': '800:100:300:1' },
      undefined,
    ],
  ])('%s', (_, mediaType, annotations, expected) => {
    expect(format(mediaType, annotations)).toEqual(expected);
  });

  it.each([
    ['a digest that is none', OCI_LAYER_GZIP, { 'containerd.io/snapshot/stargz/toc.digest': 'x' }],
    ['three numbers', OCI_LAYER_ZSTD, chunked('800:100:300')],
    ['another type of table', OCI_LAYER_ZSTD, chunked('800:100:300:2')],
    ['a sign', OCI_LAYER_ZSTD, chunked('-8:100:300:1')],
    ['the start of the layer', OCI_LAYER_ZSTD, chunked('0:100:300:1')],
    ['no bytes', OCI_LAYER_ZSTD, chunked('800:0:300:1')],
    ['behind the end', OCI_LAYER_ZSTD, chunked('901:100:300:1')],
    ['a table that is too large when it is unpacked', OCI_LAYER_ZSTD, chunked(`800:100:${(64 << 20) + 1}:1`)],
  ])('refuses %s', (_, mediaType, annotations) => {
    expect(() => format(mediaType, annotations)).toThrow(CannotBeLazy);
  });
});
