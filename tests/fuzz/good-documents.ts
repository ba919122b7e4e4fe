/** Documents of the specifications, with all that is in them. */

type Documents = Readonly<Record<string, Uint8Array>>;

const json = (value: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value));
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

const descriptor = (mediaType: string, more: object = {}) => ({ mediaType, digest, size: 7, ...more });
const oci = 'application/vnd.oci.image';
export const manifests: Documents = {
  oci: json({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: descriptor(`${oci}.config.v1+json`, { data: 'e30=' }),
    layers: [
      descriptor(`${oci}.layer.v1.tar+gzip`, { urls: ['https://example.com/x'], annotations: { a: 'b' } }),
      descriptor(`${oci}.layer.v1.tar+zstd`),
    ],
    subject: descriptor(`${oci}.manifest.v1+json`),
    annotations: { 'org.opencontainers.image.created': '2020-01-01T00:00:00Z' },
  }),
  docker: json({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: descriptor('application/vnd.docker.container.image.v1+json'),
    layers: [descriptor('application/vnd.docker.image.rootfs.diff.tar.gzip')],
  }),
};
export const indexes: Documents = {
  platforms: json({
    schemaVersion: 2,
    mediaType: `${oci}.index.v1+json`,
    manifests: [
      descriptor(`${oci}.manifest.v1+json`, {
        platform: {
          os: 'linux',
          architecture: 'arm',
          variant: 'v7',
          'os.version': '1',
          'os.features': ['x'],
        },
      }),
      descriptor(`${oci}.index.v1+json`),
    ],
  }),
};
export const configs: Documents = {
  everything: json({
    created: '2020-01-01T00:00:00.123456789Z',
    author: 'me',
    os: 'linux',
    architecture: '386',
    config: {
      User: '0:0',
      ExposedPorts: { '80/tcp': {} },
      Env: ['PATH=/bin', 'A='],
      Entrypoint: ['/bin/sh', '-c'],
      Cmd: ['x'],
      Volumes: { '/data': {} },
      WorkingDir: '/',
      Labels: { a: 'b' },
      StopSignal: 'SIGTERM',
      Healthcheck: { Test: ['CMD', 'x'], Interval: 1e9, Timeout: 1, Retries: 3 },
    },
    rootfs: { type: 'layers', diff_ids: [digest] },
    history: [{ created: '2020-01-01T00:00:00Z', created_by: 'x', empty_layer: true, comment: 'c' }],
  }),
};
const spdx = {
  spdxVersion: 'SPDX-2.3',
  packages: [
    {
      name: 'a',
      versionInfo: '1',
      licenseDeclared: 'MIT',
      externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:deb/a@1' }],
    },
  ],
};
const said = (predicateType: string, predicate: unknown) => ({
  _type: 'https://in-toto.io/Statement/v1',
  predicateType,
  subject: [{ name: 'x', digest: { sha256: 'ab' } }],
  predicate,
});
export const attestations: Documents = {
  spdx: json(spdx),
  cyclonedx: json({
    bomFormat: 'CycloneDX',
    components: [{ name: 'b', licenses: [{ license: { id: 'MIT' } }] }],
  }),
  'spdx-statement': json(said('https://spdx.dev/Document', spdx)),
  'provenance-0.2': json(
    said('https://slsa.dev/provenance/v0.2', {
      invocation: { parameters: { a: { b: 'c' } } },
      materials: [],
    }),
  ),
  'provenance-1': json(
    said('https://slsa.dev/provenance/v1', { buildDefinition: { externalParameters: { a: { b: [] } } } }),
  ),
  envelope: json({ payloadType: 'x', payload: btoa(JSON.stringify(spdx)) }),
};
export const tables: Documents = {
  kinds: json({
    version: 1,
    entries: [
      { name: 'd/', type: 'dir', mode: 16_877, modtime: '2020-01-01T00:00:00Z' },
      {
        name: 'd/f',
        type: 'reg',
        size: 5,
        offset: 100,
        digest,
        chunkDigest: digest,
        mode: 33_188,
        xattrs: { 'user.a': 'QQ==' },
      },
      { name: 'd/big', type: 'reg', size: 10, offset: 200, chunkSize: 6, digest, chunkDigest: digest },
      { name: 'd/big', type: 'chunk', offset: 300, chunkOffset: 6, chunkSize: 4, chunkDigest: digest },
      { name: 'l', type: 'symlink', linkName: 'd/f' },
      { name: 'h', type: 'hardlink', linkName: 'd/f' },
      { name: 'n', type: 'char', devMajor: 1, devMinor: 3 },
    ],
  }),
};
