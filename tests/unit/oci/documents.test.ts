import { describe, expect, it } from 'vitest';
import { InvalidDocumentError, UnsupportedMediaTypeError } from '../../../src/engine/errors.ts';
import { chainIDs } from '../../../src/engine/oci/chain-id.ts';
import { pairLayers, parseConfig } from '../../../src/engine/oci/config.ts';
import { CONFIG_LIMIT, MANIFEST_LIMIT } from '../../../src/engine/oci/document.ts';
import { parseIndex } from '../../../src/engine/oci/index.ts';
import { parseManifest, requireImage } from '../../../src/engine/oci/manifest.ts';
import {
  DOCKER_CONFIG,
  DOCKER_INDEX,
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  layerCompression,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from '../../../src/engine/oci/media-type.ts';

const bytes = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const config = { mediaType: OCI_CONFIG, digest: digest('c'), size: 10 };
const layer = { mediaType: OCI_LAYER_GZIP, digest: digest('1'), size: 20 };
const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] };
const index = {
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [
    { mediaType: OCI_MANIFEST, digest: digest('a'), size: 5, platform: { os: 'linux', architecture: '386' } },
  ],
};
const image = { architecture: '386', os: 'linux', rootfs: { type: 'layers', diff_ids: [digest('d')] } };

describe('manifests', () => {
  it('of OCI and of Docker are read alike', () => {
    expect(parseManifest(bytes(manifest), 'm')).toEqual({ mediaType: OCI_MANIFEST, config, layers: [layer] });
    const docker = {
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config: { ...config, mediaType: DOCKER_CONFIG },
      layers: [{ ...layer, mediaType: DOCKER_LAYER_GZIP }],
    };
    expect(parseManifest(bytes(docker), 'm')).toMatchObject({
      mediaType: DOCKER_MANIFEST,
      layers: docker.layers,
    });
  });

  it('need no mediaType, and null is as good as nothing', () => {
    const { mediaType: _, ...bare } = manifest;
    expect(parseManifest(bytes({ ...bare, annotations: null, subject: null }), 'm').mediaType).toBe(
      OCI_MANIFEST,
    );
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', 'manifest of x is no JSON document'],
    ['a page', '\n<!doctype html>', 'it is a web page'],
    ['a list', [], 'the document must be an object'],
    ['a number', 1, 'the document must be an object'],
    ['no version', { ...manifest, schemaVersion: undefined }, 'lacks schemaVersion'],
    ['another version', { ...manifest, schemaVersion: 3 }, 'schemaVersion must be 2: it is 3'],
    ['an index', index, 'mediaType must name an image manifest'],
    ['both', { ...manifest, manifests: [] }, 'has both layers and manifests'],
    ['no config', { ...manifest, config: undefined }, 'lacks config'],
    ['no layers', { ...manifest, layers: undefined }, 'lacks layers'],
    ['layers that are no list', { ...manifest, layers: {} }, 'layers must be a list: it is an object'],
    ['a layer that is no object', { ...manifest, layers: ['x'] }, 'layers[0] must be an object: it is "x"'],
    [
      'a negative size',
      { ...manifest, layers: [{ ...layer, size: -1 }] },
      'layers[0].size must be a whole number',
    ],
    [
      'a broken size',
      { ...manifest, layers: [{ ...layer, size: 1.5 }] },
      'layers[0].size must be a whole number',
    ],
    [
      'a size in words',
      { ...manifest, layers: [{ ...layer, size: '1' }] },
      'layers[0].size must be a whole number',
    ],
    [
      'a size of 2^53',
      { ...manifest, config: { ...config, size: 2 ** 53 } },
      'config.size must be a whole number',
    ],
    [
      'a short digest',
      { ...manifest, config: { ...config, digest: 'sha256:ab' } },
      'config.digest must be a sha256',
    ],
    [
      'an upper-case digest',
      { ...manifest, config: { ...config, digest: digest('A') } },
      'config.digest must be',
    ],
    [
      'a path as digest',
      { ...manifest, config: { ...config, digest: `sha256:../${'a'.repeat(61)}` } },
      'config.digest',
    ],
    [
      'no media type',
      { ...manifest, layers: [{ ...layer, mediaType: undefined }] },
      'layers[0] lacks mediaType',
    ],
    [
      'numbers as annotations',
      { ...manifest, annotations: { a: 1 } },
      'annotations["a"] must be a string: it is 1',
    ],
    [
      'urls that are no list',
      { ...manifest, layers: [{ ...layer, urls: 'x' }] },
      'layers[0].urls must be a list',
    ],
  ])('with %s are refused', (_, document, message) => {
    const parse = () => parseManifest(bytes(document), 'manifest of x');
    expect(parse).toThrow(InvalidDocumentError);
    expect(parse).toThrow(message);
  });

  it.each([
    { schemaVersion: 1, name: 'x', fsLayers: [] },
    { schemaVersion: 2, mediaType: 'application/vnd.docker.distribution.manifest.v1+prettyjws' },
  ])('of schema 1 are refused by name', (document) => {
    expect(() => parseManifest(bytes(document), 'm')).toThrow(UnsupportedMediaTypeError);
    expect(() => parseManifest(bytes(document), 'm')).toThrow('schema 1');
  });

  it('of charts are no images', () => {
    const chart = {
      ...manifest,
      config: { ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' },
    };
    expect(() => requireImage(parseManifest(bytes(chart), 'm'), 'a chart')).toThrow(
      UnsupportedMediaTypeError,
    );
    expect(() => requireImage(parseManifest(bytes(manifest), 'm'), 'an image')).not.toThrow();
  });

  it('are not read beyond 4 MB, nor in anything but UTF-8', () => {
    const large = JSON.stringify({ ...manifest, annotations: { a: 'x'.repeat(MANIFEST_LIMIT) } });
    expect(() => parseManifest(bytes(large), 'm')).toThrow('at most 4194304 are allowed');
    expect(() => parseManifest(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 'm')).toThrow(
      InvalidDocumentError,
    );
  });

  it('nested deeper than any reader follows are refused, not fatal', () => {
    expect(() => parseManifest(bytes('['.repeat(1_000_000)), 'm')).toThrow(InvalidDocumentError);
  });
});

describe('indexes', () => {
  it('of OCI and of Docker are read alike', () => {
    expect(parseIndex(bytes(index), 'i').manifests).toEqual(index.manifests);
    expect(parseIndex(bytes({ ...index, mediaType: DOCKER_INDEX }), 'i').manifests).toEqual(index.manifests);
  });

  it.each<[string, unknown, string]>([
    ['layers beside manifests', { ...index, layers: [] }, 'has both manifests and layers'],
    ['a config beside manifests', { ...index, config }, 'has both manifests and layers'],
    ['no manifests', { schemaVersion: 2 }, 'lacks manifests'],
    ['a manifest’s type', { ...index, mediaType: OCI_MANIFEST }, 'mediaType must name an image index'],
    [
      'half a platform',
      { ...index, manifests: [{ ...index.manifests[0], platform: { os: 'linux' } }] },
      'manifests[0].platform lacks architecture',
    ],
  ])('with %s are refused', (_, document, message) => {
    expect(() => parseIndex(bytes(document), 'index of x')).toThrow(InvalidDocumentError);
    expect(() => parseIndex(bytes(document), 'index of x')).toThrow(message);
  });
});

describe('configs', () => {
  it('are read whole', () => {
    const document = {
      ...image,
      created: '2024-01-02T03:04:05.678901234Z',
      author: 'me',
      variant: 'v1',
      config: {
        User: '1:2',
        Env: ['A=b'],
        Entrypoint: ['/e'],
        Cmd: ['c', 'd e'],
        WorkingDir: '/w',
        Labels: { __proto__x: 'y', a: 'b' },
        ExposedPorts: { '80/tcp': {} },
        Volumes: { '/v': {} },
        StopSignal: 'SIGINT',
        Shell: ['/bin/sh', '-c'],
        OnBuild: ['RUN x'],
        Healthcheck: { Test: ['CMD', 'x'], Interval: 1e9, Retries: 3 },
      },
      history: [
        { created: '2024-01-02T03:04:05Z', created_by: 'ADD x', empty_layer: false },
        { empty_layer: true },
      ],
    };
    expect(parseConfig(bytes(document), 'c')).toEqual({
      created: '2024-01-02T03:04:05.678901234Z',
      author: 'me',
      platform: { os: 'linux', architecture: '386', variant: 'v1' },
      config: {
        user: '1:2',
        exposedPorts: ['80/tcp'],
        env: ['A=b'],
        entrypoint: ['/e'],
        cmd: ['c', 'd e'],
        volumes: ['/v'],
        workingDir: '/w',
        labels: { __proto__x: 'y', a: 'b' },
        stopSignal: 'SIGINT',
        shell: ['/bin/sh', '-c'],
        onBuild: ['RUN x'],
        healthcheck: { test: ['CMD', 'x'], interval: 1e9, timeout: 0, startPeriod: 0, retries: 3 },
      },
      diffIDs: [digest('d')],
      history: [
        { created: '2024-01-02T03:04:05Z', createdBy: 'ADD x', author: '', comment: '', emptyLayer: false },
        { createdBy: '', author: '', comment: '', emptyLayer: true },
      ],
    });
  });

  it('without a config section, or with nulls in it, say nothing', () => {
    const silent = parseConfig(bytes(image), 'c').config;
    const nulls = { Env: null, Cmd: null, Entrypoint: null, Labels: null, Volumes: null, Healthcheck: null };
    expect(parseConfig(bytes({ ...image, config: nulls }), 'c').config).toEqual(silent);
    expect(silent).toMatchObject({ env: [], cmd: [], entrypoint: [], labels: {}, user: '' });
  });

  it('take a label called __proto__ for a label', () => {
    const text = `{"architecture":"386","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{"Labels":{"__proto__":"x"}}}`;
    const { labels } = parseConfig(bytes(text), 'c').config;
    expect(Object.entries(labels)).toEqual([['__proto__', 'x']]);
    expect(Object.getPrototypeOf(labels)).toBe(Object.prototype);
  });

  it.each<[string, unknown, string]>([
    ['no rootfs', { ...image, rootfs: undefined }, 'lacks rootfs'],
    ['another rootfs', { ...image, rootfs: { type: 'x', diff_ids: [] } }, 'rootfs.type must be "layers"'],
    ['no diff_ids', { ...image, rootfs: { type: 'layers' } }, 'rootfs lacks diff_ids'],
    [
      'a diffID that is none',
      { ...image, rootfs: { type: 'layers', diff_ids: ['x'] } },
      'rootfs.diff_ids[0] must be',
    ],
    ['no os', { ...image, os: undefined }, 'lacks os'],
    ['no architecture', { ...image, architecture: 1 }, 'architecture must be a string'],
    ['a Cmd in words', { ...image, config: { Cmd: 'sh' } }, 'config.Cmd must be a list'],
    ['numbers in Env', { ...image, config: { Env: [1] } }, 'config.Env[0] must be a string'],
    ['a time that is none', { ...image, created: 'yesterday' }, 'created must be a time'],
    ['a 13th month', { ...image, created: '2024-13-01T00:00:00Z' }, 'created must be a time'],
    ['history that is no list', { ...image, history: {} }, 'history must be a list'],
    [
      'empty_layer in words',
      { ...image, history: [{ empty_layer: 'no' }] },
      'history[0].empty_layer must be true or false',
    ],
  ])('with %s are refused', (_, document, message) => {
    expect(() => parseConfig(bytes(document), 'config of x')).toThrow(InvalidDocumentError);
    expect(() => parseConfig(bytes(document), 'config of x')).toThrow(message);
  });

  it('are not read beyond 8 MB', () => {
    const large = JSON.stringify({ ...image, author: 'x'.repeat(CONFIG_LIMIT) });
    expect(() => parseConfig(bytes(large), 'c')).toThrow('at most 8388608 are allowed');
  });

  it('must count as many layers as the manifest', () => {
    const parsed = parseConfig(bytes(image), 'c');
    const paired = pairLayers(parseManifest(bytes(manifest), 'm'), parsed, 'x');
    expect(paired).toEqual([{ diffID: digest('d'), blob: layer }]);
    const two = parseManifest(bytes({ ...manifest, layers: [layer, layer] }), 'm');
    expect(() => pairLayers(two, parsed, 'x')).toThrow('its manifest has 2 layers, its config 1 diff_ids');
  });
});

describe('layers', () => {
  it.each([
    [OCI_LAYER_GZIP, 'gzip'],
    [DOCKER_LAYER_GZIP, 'gzip'],
    ['application/vnd.oci.image.layer.v1.tar', 'none'],
    ['application/vnd.oci.image.layer.v1.tar+zstd', 'zstd'],
  ])('%s is compressed with %s', (mediaType, compression) => {
    expect(layerCompression(mediaType)).toBe(compression);
  });

  it('of other types are refused', () => {
    expect(() => layerCompression('application/vnd.in-toto+json')).toThrow(UnsupportedMediaTypeError);
  });

  it('have the chain IDs that the specification computes', async () => {
    const [bottom, middle, top] = await chainIDs([
      `sha256:${'a'.repeat(64)}`,
      `sha256:${'b'.repeat(64)}`,
      `sha256:${'c'.repeat(64)}`,
    ]);
    // printf 'sha256:aaa... sha256:bbb...' | sha256sum, and so on
    expect(bottom).toBe(digest('a'));
    expect([middle, top]).toEqual([
      'sha256:ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c',
      'sha256:c1377126441fb2f5ec2c21ae2a60255331d639e830f0ee1b40a36e52d4c40588',
    ]);
  });
});
