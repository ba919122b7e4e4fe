import { describe, expect, it } from 'vitest';
import { artifactOf } from '../../../src/engine/oci/artifact.ts';
import { parseManifest, requireImage } from '../../../src/engine/oci/manifest.ts';

const IMAGE = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const EMPTY = 'application/vnd.oci.empty.v1+json';
const part = (mediaType: string) => ({ mediaType, digest: `sha256:${'0'.repeat(64)}`, size: 2 });

const manifest = (config: string, layers: readonly string[], artifactType?: string) =>
  parseManifest(
    new TextEncoder().encode(
      JSON.stringify({ schemaVersion: 2, config: part(config), layers: layers.map(part), artifactType }),
    ),
    'x',
  );

describe('a manifest', () => {
  it.each<[string, string, readonly string[], string | undefined, string | undefined]>([
    ['of an image', IMAGE, [LAYER], undefined, undefined],
    ['of an image of Docker', 'application/vnd.docker.container.image.v1+json', [], undefined, undefined],
    ['of an image of a type of its own', IMAGE, [LAYER], 'application/vnd.example', undefined],
    ['made by helm', 'application/vnd.cncf.helm.config.v1+json', [], undefined, 'a Helm chart'],
    [
      'of a wasm component',
      'application/vnd.wasm.config.v0+json',
      ['application/wasm'],
      undefined,
      'a WebAssembly module',
    ],
    [
      'by wasm-to-oci',
      'application/vnd.wasm.config.v1+json',
      ['application/vnd.wasm.content.layer.v1+wasm'],
      undefined,
      'a WebAssembly module',
    ],
    [
      'of cosign, with the config of an image',
      IMAGE,
      ['application/vnd.dev.cosign.simplesigning.v1+json'],
      undefined,
      'a cosign signature',
    ],
    [
      'of BuildKit’s attestations, with the config of an image',
      IMAGE,
      ['application/vnd.in-toto+json'],
      undefined,
      'an attestation',
    ],
    [
      'of a bundle',
      EMPTY,
      ['application/vnd.dev.sigstore.bundle.v0.3+json'],
      'application/vnd.dev.sigstore.bundle.v0.3+json',
      'a Sigstore bundle (a signature or an attestation)',
    ],
    ['of an SBOM', EMPTY, ['application/spdx+json'], undefined, 'a software bill of materials'],
    ['of a plugin', 'application/vnd.docker.plugin.v1+json', [], undefined, 'a Docker plugin'],
    ['of what nobody knows', 'application/vnd.example.config', ['text/plain'], undefined, 'an artifact'],
    ['of what has a type alone', EMPTY, [EMPTY], 'application/vnd.example+type', 'an artifact'],
  ])('%s', (_, config, layers, artifactType, words) => {
    expect(artifactOf(manifest(config, layers, artifactType))?.words).toBe(words);
  });

  it('that is no image is refused by name', () => {
    expect(() => requireImage(manifest('application/vnd.cncf.helm.config.v1+json', []), 'app:1')).toThrow(
      'app:1 is no image: it is a Helm chart, of type "application/vnd.cncf.helm.config.v1+json", which cannot be run',
    );
    const typed = manifest(EMPTY, [EMPTY], 'application/vnd.example+type');
    expect(() => requireImage(typed, 'app:1')).toThrow(
      'app:1 is no image: it is an artifact of type "application/vnd.example+type", which cannot be run',
    );
    expect(() => requireImage(manifest(IMAGE, [LAYER]), 'app:1')).not.toThrow();
  });
});
