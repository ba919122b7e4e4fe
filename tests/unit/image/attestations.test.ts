/** Attestations in an index and by referrers, from a registry to the tables that show them. */

import { describe, expect, it } from 'vitest';
import { ATTESTATION_LIMIT, parseAttestation } from '../../../src/engine/oci/attestation.ts';
import { openSandbox } from '../container/sandbox.ts';
import { jsonBytes, MadeUpWeb } from '../registry/made-up-registry.ts';
import { CONFIG, INDEX, MANIFEST, MadeUpImages } from './made-up-sandbox.ts';

const IN_TOTO = 'application/vnd.in-toto+json';

const spdx = {
  spdxVersion: 'SPDX-2.3',
  packages: [
    {
      name: 'musl',
      versionInfo: '1.2.4-r2',
      licenseConcluded: 'NOASSERTION',
      licenseDeclared: 'MIT',
      externalRefs: [
        { referenceType: 'cpe23Type', referenceLocator: 'cpe:2.3:a:musl' },
        { referenceType: 'purl', referenceLocator: 'pkg:apk/alpine/musl@1.2.4-r2' },
      ],
    },
    { name: 'app\x1b[2J' },
  ],
};

const statement = (predicateType: string, predicate: unknown) => ({
  _type: 'https://in-toto.io/Statement/v0.1',
  predicateType,
  subject: [{ name: 'pkg:docker/app@1', digest: { sha256: 'ab'.repeat(32) } }],
  predicate,
});

/** As BuildKit writes it with --provenance=mode=max. */
const provenance02 = {
  builder: { id: 'https://ci.example/run/7' },
  buildType: 'https://mobyproject.org/buildkit@v1',
  materials: [{ uri: 'pkg:docker/busybox@1.36?platform=linux%2F386', digest: { sha256: 'cd'.repeat(32) } }],
  invocation: {
    configSource: {
      uri: 'https://git.example/app.git',
      digest: { sha1: 'ef'.repeat(20) },
      entryPoint: 'Dockerfile',
    },
    parameters: { frontend: 'dockerfile.v0', args: { 'build-arg:A': '1' }, locals: [{ name: 'context' }] },
  },
  metadata: {
    buildInvocationID: 'abc',
    buildStartedOn: '2026-01-02T03:04:05Z',
    buildFinishedOn: '2026-01-02T03:05:05Z',
  },
};

const provenance1 = {
  buildDefinition: {
    buildType: 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md',
    externalParameters: {
      configSource: { uri: 'https://git.example/app.git', path: 'Dockerfile' },
      request: { frontend: 'dockerfile.v0', args: { target: 'release' } },
    },
    resolvedDependencies: [{ uri: 'pkg:docker/busybox@1.36', digest: { sha256: 'cd'.repeat(32) } }],
  },
  runDetails: {
    builder: { id: 'https://ci.example/run/8' },
    metadata: { invocationId: 'def', startedOn: '2026-01-02T03:04:05Z', finishedOn: '2026-01-02T03:05:05Z' },
  },
};

function attested() {
  const web = new MadeUpWeb();
  const registry = new MadeUpImages('app');
  web.host('http://localhost:5000/', registry.answer);
  const image = registry.image([registry.layer('a')]);
  const arm = registry.image([registry.layer('b')], { architecture: 'arm64' });
  const blobOf = (document: unknown, predicateType?: string) => ({
    mediaType: IN_TOTO,
    ...registry.blob(jsonBytes(document)),
    ...(predicateType !== undefined && { annotations: { 'in-toto.io/predicate-type': predicateType } }),
  });
  const config = {
    mediaType: CONFIG,
    ...registry.blob(jsonBytes({ architecture: 'unknown', os: 'unknown' })),
  };
  const layers = [
    blobOf(statement('https://spdx.dev/Document', spdx), 'https://spdx.dev/Document'),
    blobOf(statement('https://slsa.dev/provenance/v0.2', provenance02), 'https://slsa.dev/provenance/v0.2'),
  ];
  const manifest = registry.manifest({ ...{ schemaVersion: 2, config, layers }, mediaType: MANIFEST });
  const entry = {
    ...manifest,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': image.manifest.digest,
    },
  };
  const manifests = [
    { ...image.manifest, platform: image.platform },
    { ...arm.manifest, platform: arm.platform },
    entry,
  ];
  registry.manifest({ ...{ schemaVersion: 2, manifests }, mediaType: INDEX }, '1');
  registry.image([registry.layer('c')], { tags: ['bare'] });
  return { web, registry, image, arm, manifest, layers, blobOf, config };
}

describe('attestations of an index', () => {
  it('are listed, each with the digests that it comes from, and the facts of the build', async () => {
    const { web, manifest, layers } = attested();
    const { docker } = await openSandbox({ fetch: web.fetch });
    const { code, out, err } = await docker('scout attestation list localhost:5000/app:1');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const lines = out.split('\n');
    expect(lines[0]).toMatch(/^PREDICATE TYPE +PLATFORM +FROM +MANIFEST +DIGEST +SIZE$/);
    expect(lines[1]).toMatch(/^https:\/\/spdx\.dev\/Document +linux\/386 +index +sha256:/);
    expect(lines[1]).toContain(`${manifest.digest}   ${layers[0]?.digest}`);
    expect(lines[2]).toContain(layers[1]?.digest);
    expect(out).toContain(`\nBuild, told by ${layers[1]?.digest}:\n\nFACT`);
    for (const [fact, value] of [
      ['Builder', 'https://ci.example/run/7'],
      ['Source', 'https://git.example/app.git Dockerfile'],
      ['Started', '2026-01-02T03:04:05Z'],
      ['Invocation', 'abc'],
      ['Parameter args.build-arg:A', '1'],
      ['Parameter locals', '[{"name":"context"}]'],
      ['pkg:docker/busybox@1.36?platform=linux%2F386', `sha256:${'cd'.repeat(32)}`],
    ]) {
      expect(lines.map((line) => line.split(/ {2,}/))).toContainEqual([fact, value]);
    }
  });

  it('show their packages, without what would control a terminal', async () => {
    const { web, layers } = attested();
    const { docker } = await openSandbox({ fetch: web.fetch });
    const { out } = await docker('scout sbom localhost:5000/app:1');
    expect(out.split('\n')).toEqual([
      `Packages for linux/386, told by ${layers[0]?.digest}:`,
      '',
      'NAME      VERSION    TYPE      LICENSE',
      'app?[2J                        ',
      'musl      1.2.4-r2   apk       MIT',
      '',
    ]);
  });

  it('are chosen by platform and by type', async () => {
    const { web } = attested();
    const { docker } = await openSandbox({ fetch: web.fetch });
    const count = async (flags: string) => {
      const { out } = await docker(`scout attestation list ${flags} localhost:5000/app:1`);
      return out.split('\n').filter((line) => line.includes(' index ')).length;
    };
    expect(await count('--platform linux/386')).toBe(2);
    expect(await count('--predicate-type https://spdx.dev/Document')).toBe(1);
    for (const flags of ['--platform linux/arm64', '--predicate-type https://example.org/other']) {
      expect(await docker(`scout attestation list ${flags} localhost:5000/app:1`)).toEqual({
        code: 1,
        out: '',
        err: 'Error response from daemon: localhost:5000/app:1 has no attestations\n',
      });
    }
    expect((await docker('scout sbom --platform linux/arm64 localhost:5000/app:1')).code).toBe(1);
  });

  it('are none where there are none', async () => {
    const { web } = attested();
    const { docker } = await openSandbox({ fetch: web.fetch });
    for (const line of [
      'scout attestation list localhost:5000/app:bare',
      'scout sbom localhost:5000/app:bare',
    ]) {
      expect((await docker(line)).err).toBe(
        'Error response from daemon: localhost:5000/app:bare has no attestations\n',
      );
    }
    expect((await docker('scout attestation add x')).err).toBe(
      'docker: unknown command: docker scout attestation add\n',
    );
  });
});

describe('an attestation for each way to read it', () => {
  /** An index of one image with this blob as its bill of materials. */
  function withBom(bom: (made: ReturnType<typeof attested>) => object) {
    const made = attested();
    const { web, registry, image, config } = made;
    const annotations = { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' };
    const layers = [{ mediaType: IN_TOTO, ...bom(made), annotations }];
    const manifest = registry.manifest({ ...{ schemaVersion: 2, config, layers }, mediaType: MANIFEST });
    const manifests = [
      { ...image.manifest, platform: image.platform },
      {
        ...manifest,
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: { 'vnd.docker.reference.digest': image.manifest.digest },
      },
    ];
    registry.manifest({ ...{ schemaVersion: 2, manifests }, mediaType: INDEX }, 'bom');
    return openSandbox({ fetch: web.fetch });
  }
  const imagetools = [
    ...['buildx', 'imagetools', 'inspect', '--format'],
    ...['{{range .SBOM.SPDX.packages}}{{.name}} {{end}}', 'localhost:5000/app:bom'],
  ];
  const scout = ['scout', 'sbom', 'localhost:5000/app:bom'];

  it('may lie in an envelope', async () => {
    const payload = btoa(
      JSON.stringify(statement('https://spdx.dev/Document', { packages: [{ name: 'a' }] })),
    );
    const { docker } = await withBom(({ blobOf }) => blobOf({ payloadType: IN_TOTO, payload }));
    expect(await docker(imagetools)).toEqual({ code: 0, out: 'a \n', err: '' });
    expect((await docker(scout)).out).toMatch(/\na /);
  });

  it.each([
    ['imagetools inspect', imagetools],
    ['scout sbom', scout],
  ])('of more than 8 MB is refused before it is fetched: %s', async (_, argv) => {
    const size = ATTESTATION_LIMIT + 1;
    const digest = `sha256:${'0'.repeat(64)}`;
    const { docker } = await withBom(() => ({ digest, size }));
    const { code, out, err } = await docker(argv);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(`attestation ${digest} has 8388609 bytes: at most 8388608 are allowed`);
  });

  it('that is no statement is refused', async () => {
    const { docker } = await withBom(({ blobOf }) => blobOf({ predicate: { packages: [] } }));
    for (const argv of [imagetools, scout]) expect((await docker(argv)).err).toContain('lacks _type');
  });
});

describe('referrers', () => {
  it('are read where they refer to the manifest of a platform', async () => {
    const { web, registry, arm, blobOf, config } = attested();
    const payload = btoa(JSON.stringify(statement('https://slsa.dev/provenance/v1', provenance1)));
    const envelope = blobOf({ payloadType: IN_TOTO, payload, signatures: [] });
    const manifest = registry.manifest({
      ...{
        schemaVersion: 2,
        config,
        layers: [{ ...envelope, mediaType: 'application/vnd.dsse.envelope.v1+json' }],
      },
      ...{ artifactType: 'application/vnd.dsse.envelope.v1+json' },
      mediaType: MANIFEST,
    });
    const tag = arm.manifest.digest.replace(':', '-');
    registry.manifest({ ...{ schemaVersion: 2, manifests: [manifest] }, mediaType: INDEX }, tag);
    const { docker } = await openSandbox({ fetch: web.fetch });
    const { out } = await docker('scout attestation list --platform linux/arm64 localhost:5000/app:1');
    expect(out).toMatch(/\napplication\/vnd\.dsse\.envelope\.v1\+json {3}linux\/arm64 {3}referrer +sha256:/);
    expect(out).toContain(`${manifest.digest}   ${envelope.digest}`);
    expect(out).toMatch(/\nBuilder +https:\/\/ci\.example\/run\/8\n/);
    expect(out).toMatch(/\nParameter args\.target +release\n/);
    expect(out).toMatch(/\npkg:docker\/busybox@1\.36 +sha256:cdcd/);
  });
});

describe('an attestation', () => {
  const parse = (document: unknown) => parseAttestation(jsonBytes(document), 'attestation x');

  it('may be an SPDX document or a CycloneDX one by itself', () => {
    expect(parse(spdx).packages?.[0]).toEqual({
      name: 'musl',
      version: '1.2.4-r2',
      type: 'apk',
      license: 'MIT',
      purl: 'pkg:apk/alpine/musl@1.2.4-r2',
    });
    const components = [
      {
        name: 'left-pad',
        version: '1.3.0',
        purl: 'pkg:npm/left-pad@1.3.0',
        licenses: [{ license: { id: 'WTFPL' } }],
      },
      { name: 'x', licenses: [{ expression: 'MIT OR GPL-2.0' }] },
    ];
    expect(parse({ bomFormat: 'CycloneDX', components }).packages).toEqual([
      { name: 'left-pad', version: '1.3.0', type: 'npm', license: 'WTFPL', purl: 'pkg:npm/left-pad@1.3.0' },
      { name: 'x', version: '', type: '', license: 'MIT OR GPL-2.0', purl: '' },
    ]);
    expect(parse(statement('https://cyclonedx.org/bom', { components })).packages).toHaveLength(2);
  });

  it('may lie in a Sigstore bundle, and says what it is about', () => {
    const payload = btoa(JSON.stringify(statement('https://spdx.dev/Document', spdx)));
    const { subjects, packages } = parse({ dsseEnvelope: { payloadType: IN_TOTO, payload } });
    expect(packages).toHaveLength(2);
    expect(subjects).toEqual([{ name: 'pkg:docker/app@1', digests: { sha256: 'ab'.repeat(32) } }]);
  });

  it('of another type says only that', () => {
    const { predicateType, packages, build } = parse(
      statement('https://example.org/tests', { passed: true }),
    );
    expect({ predicateType, packages, build }).toEqual({
      predicateType: 'https://example.org/tests',
      packages: undefined,
      build: undefined,
    });
  });

  it('of more bytes than a source gives is refused', () => {
    const bytes = new Uint8Array(ATTESTATION_LIMIT + 1).fill(0x20);
    expect(() => parseAttestation(bytes, 'attestation x')).toThrow(
      'attestation x has 8388609 bytes: at most 8388608 are allowed',
    );
  });

  const bundle = (depth: number): unknown =>
    depth === 0 ? {} : { payloadType: 'x', payload: btoa(JSON.stringify(bundle(depth - 1))) };
  const broken: readonly (readonly [string, unknown, string])[] = [
    ['no object', [], 'must be an object'],
    ['nothing', {}, 'lacks _type'],
    ['another statement', { _type: 'https://example.org' }, 'must be an in-toto statement'],
    ['a package without a name', { ...spdx, packages: [{}] }, 'lacks name'],
    ['packages that are none', { ...spdx, packages: {} }, 'packages must be a list'],
    ['a payload that is no base64', { payloadType: 'x', payload: '%' }, 'its payload is no base64'],
    ['envelopes without end', bundle(9), 'has envelopes within envelopes'],
    ['a provenance that is text', statement('https://slsa.dev/provenance/v1', 'x'), 'must be an object'],
  ];
  it.each(broken)('that is %s is refused', (_, document, message) => {
    expect(() => parse(document)).toThrow(message);
  });
});
