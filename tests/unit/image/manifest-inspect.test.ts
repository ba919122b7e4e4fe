/** `docker manifest inspect` and `docker buildx imagetools inspect`: images in a registry, looked at and not pulled. */

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putBlob, type Registry, startRegistry } from '../../support/registry.ts';
import { openSandbox, type TestSandbox } from '../container/sandbox.ts';
import {
  getDocument,
  INDEX,
  MANIFEST,
  makeLayout,
  type PushedDocument,
  pushIndex,
  putDocument,
} from '../mirror/images.ts';

const PLATFORMS = ['linux/386', 'linux/arm64/v8'];

let registry: Registry;
let made: Awaited<ReturnType<typeof makeLayout>>;
let first: PushedDocument;
let second: PushedDocument;
let attestation: PushedDocument;
let attested: PushedDocument;
let sandbox: TestSandbox;
beforeAll(async () => {
  [registry, made] = await Promise.all([startRegistry(), makeLayout(PLATFORMS)]);
  await pushIndex(made.path, registry, 'test/multi', PLATFORMS);
  first = await getDocument(registry, 'test/multi', 'linux-386');
  second = await getDocument(registry, 'test/multi', 'linux-arm64-v8');
  const layers = [];
  for (const [type, predicate] of [
    ['https://spdx.dev/Document', { packages: [{ name: 'busybox', versionInfo: '1.35' }] }],
    ['https://slsa.dev/provenance/v0.2', { builder: { id: 'a builder' } }],
  ] as const) {
    const bytes = new TextEncoder().encode(
      JSON.stringify({ _type: 'https://in-toto.io/Statement/v0.1', predicateType: type, predicate }),
    );
    const digest = await putBlob(registry, 'test/multi', bytes);
    const annotations = { 'in-toto.io/predicate-type': type };
    layers.push({ mediaType: 'application/vnd.in-toto+json', digest, size: bytes.length, annotations });
  }
  const config = new TextEncoder().encode(
    '{"architecture":"unknown","os":"unknown","rootfs":{"type":"layers","diff_ids":[]}}',
  );
  const mediaType = 'application/vnd.oci.image.config.v1+json';
  attestation = await putDocument(registry, 'test/multi', {
    mediaType: MANIFEST,
    ...{ schemaVersion: 2, layers },
    ...{ config: { mediaType, digest: await putBlob(registry, 'test/multi', config), size: config.length } },
  });
  const entry = ({ digest, size }: PushedDocument) => ({ mediaType: MANIFEST, digest, size });
  attested = await putDocument(
    registry,
    'test/multi',
    {
      mediaType: INDEX,
      ...{
        schemaVersion: 2,
        manifests: [
          { ...entry(first), platform: { architecture: '386', os: 'linux' } },
          {
            ...entry(attestation),
            platform: { architecture: 'unknown', os: 'unknown' },
            annotations: {
              'vnd.docker.reference.digest': first.digest,
              'vnd.docker.reference.type': 'attestation-manifest',
            },
          },
        ],
      },
    },
    'attested',
  );
  sandbox = await openSandbox({ fetch: (url, init) => fetch(url, init) });
});
afterAll(async () => {
  await registry.close();
  await made.remove();
});

async function ok(...argv: string[]): Promise<string> {
  const { code, out, err } = await sandbox.docker(argv);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

const name = (tag: string) => `${registry.host}/test/multi:${tag}`;

/** Recorded from docker 28.2.2, with the digests of these images in it. */
const list = () => `{
   "schemaVersion": 2,
   "mediaType": "application/vnd.oci.image.index.v1+json",
   "manifests": [
      {
         "mediaType": "application/vnd.oci.image.manifest.v1+json",
         "size": ${first.size},
         "digest": "${first.digest}",
         "platform": {
            "architecture": "386",
            "os": "linux"
         }
      },
      {
         "mediaType": "application/vnd.oci.image.manifest.v1+json",
         "size": ${second.size},
         "digest": "${second.digest}",
         "platform": {
            "architecture": "arm64",
            "os": "linux",
            "variant": "v8"
         }
      }
   ]
}
`;

describe('docker manifest inspect', () => {
  it('shows an index as docker does', async () => {
    expect(await ok('manifest', 'inspect', name('latest'))).toBe(list());
    expect(await sandbox.stores.records.ids('images')).toEqual([]);
  });

  it('shows a manifest as it is, indented', async () => {
    const document = JSON.parse(new TextDecoder().decode(first.bytes));
    expect(await ok('manifest', 'inspect', name('linux-386'))).toBe(
      `${JSON.stringify(document, undefined, '\t')}${new TextDecoder().decode(first.bytes).endsWith('\n') ? '\n' : ''}\n`,
    );
  });

  it('-v tells of each manifest what it is, with its bytes', async () => {
    const all = JSON.parse(await ok('manifest', 'inspect', '-v', name('latest')));
    const of = (document: PushedDocument, platform: object, ref: string) => ({
      Ref: ref,
      Descriptor: { mediaType: MANIFEST, digest: document.digest, size: document.size, platform },
      Raw: Buffer.from(document.bytes).toString('base64'),
      OCIManifest: JSON.parse(new TextDecoder().decode(document.bytes)),
    });
    const x86 = { architecture: '386', os: 'linux' };
    expect(all).toEqual([
      of(first, x86, `${name('latest')}@${first.digest}`),
      of(second, { architecture: 'arm64', os: 'linux', variant: 'v8' }, `${name('latest')}@${second.digest}`),
    ]);
    const one = await ok('manifest', 'inspect', '-v', name('linux-386'));
    expect(JSON.parse(one)).toEqual(of(first, x86, name('linux-386')));
    expect(one).toMatch(/^\{\n\t"Ref": /);
  });

  it.each([
    ['of what is not there', () => [name('none')], /^no such manifest: \S+\/test\/multi:none\n$/],
    [
      'of a local list',
      () => [name('list'), name('latest')],
      /^no such manifest: \S+\/test\/multi:latest\n$/,
    ],
    [
      'of no reference',
      () => ['UP'],
      /^invalid reference format: repository name \(library\/UP\) must be lowercase\n$/,
    ],
  ])('%s says so in the words of docker', async (_, words, message) => {
    const { code, err } = await sandbox.docker(['manifest', 'inspect', ...words()]);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(message) });
  });

  it('refuses what it has not by name', async () => {
    expect((await sandbox.docker('manifest inspect --insecure x')).err).toContain(
      'the flag --insecure is not yet supported',
    );
    expect((await sandbox.docker('manifest create x y')).err).toContain(
      "'manifest create' is not yet supported",
    );
  });
});

describe('docker buildx imagetools inspect', () => {
  const inspect = (...argv: string[]) => ok('buildx', 'imagetools', 'inspect', ...argv);

  it('lists an index with its attestations, each with its digest', async () => {
    const ref = name('attested');
    expect((await inspect(ref)).replace(/ +$/gm, '')).toBe(
      `Name:      ${ref}
MediaType: ${INDEX}
Digest:    ${attested.digest}

Manifests:
  Name:      ${ref}@${first.digest}
  MediaType: ${MANIFEST}
  Platform:  linux/386

  Name:      ${ref}@${attestation.digest}
  MediaType: ${MANIFEST}
  Platform:  unknown/unknown
  Annotations:
    vnd.docker.reference.digest: ${first.digest}
    vnd.docker.reference.type:   attestation-manifest
`,
    );
    expect(await inspect(name('linux-386'))).toBe(
      `Name:      ${name('linux-386')}\nMediaType: ${MANIFEST}\nDigest:    ${first.digest}\n`,
    );
  });

  it('--raw gives the bytes', async () => {
    const raw = await inspect('--raw', name('attested'));
    expect(createHash('sha256').update(raw).digest('hex')).toBe(attested.digest.slice(7));
  });

  it.each([
    ['{{.Name}}', () => name('attested')],
    ['{{.Manifest.Digest}} {{.Manifest.MediaType}}', () => `${attested.digest} ${INDEX}`],
    ['{{range .Manifest.Manifests}}{{.Digest}} {{end}}', () => `${first.digest} ${attestation.digest} `],
    ['{{.Image.Architecture}}', () => '386'],
    ['{{range .SBOM.SPDX.packages}}{{.name}}@{{.versionInfo}}{{end}}', () => 'busybox@1.35'],
    ['{{json .Provenance.SLSA}}', () => '{"builder":{"id":"a builder"}}'],
  ])('--format %s', async (format, wanted) => {
    expect(await inspect('--format', format, name('attested'))).toBe(`${wanted()}\n`);
  });

  it('--format "{{json .Manifest}}" is the document and where it is', async () => {
    const shown = JSON.parse(await inspect('--format', '{{json .Manifest}}', name('attested')));
    const document = JSON.parse(new TextDecoder().decode(attested.bytes));
    expect(shown).toEqual({ ...document, digest: attested.digest, size: attested.size });
  });

  it('of several platforms tells of each', async () => {
    const shown = JSON.parse(await inspect('--format', '{{json .Image}}', name('latest')));
    expect(Object.keys(shown)).toEqual(['linux/386', 'linux/arm64']);
  });

  it.each([
    ['inspect --raw --format x y', /^format and raw cannot be used together\n$/],
    ['inspect', /requires 1 argument/],
    ['nosuch x', /^docker: unknown command: docker buildx imagetools nosuch\n/],
    ['create x', /'buildx imagetools create' is not yet supported by Layerbox/],
  ])('%s is refused', async (line, message) => {
    const { code, err } = await sandbox.docker(`buildx imagetools ${line}`);
    expect(code).toBe(1);
    expect(err).toMatch(message);
  });
});
