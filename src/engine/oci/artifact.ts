/**
 * What a manifest is when it is no image (image-spec, manifest.md, "Guidelines
 * for Artifact Usage"): told by its artifactType, else by the type of its
 * config, else by its layers, since some tools give what they make the config
 * of an image.
 */

import type { Manifest } from './manifest.ts';
import { isImageConfig } from './media-type.ts';

/** The config of an artifact that needs none. */
const EMPTY = 'application/vnd.oci.empty.v1+json';

/** Beginnings of media types, and what has them; the first that fits counts. */
const KINDS: readonly (readonly [beginning: string, words: string])[] = [
  ['application/vnd.cncf.helm.', 'a Helm chart'],
  ['application/vnd.wasm.', 'a WebAssembly module'],
  ['application/vnd.module.wasm.', 'a WebAssembly module'],
  ['application/wasm', 'a WebAssembly module'],
  ['application/vnd.dev.cosign.simplesigning.', 'a cosign signature'],
  ['application/vnd.dev.cosign.artifact.sig.', 'a cosign signature'],
  ['application/vnd.dev.cosign.artifact.sbom.', 'a software bill of materials'],
  ['application/vnd.dev.sigstore.bundle', 'a Sigstore bundle (a signature or an attestation)'],
  ['application/vnd.cncf.notary.', 'a Notary signature'],
  ['application/vnd.dsse.envelope.', 'an attestation'],
  ['application/vnd.in-toto', 'an attestation'],
  ['application/vnd.cyclonedx', 'a software bill of materials'],
  ['application/spdx', 'a software bill of materials'],
  ['application/vnd.syft', 'a software bill of materials'],
  ['text/spdx', 'a software bill of materials'],
  ['application/sarif', 'the report of a scan'],
  ['application/vnd.docker.plugin.', 'a Docker plugin'],
  ['application/vnd.docker.compose.', 'a Compose project'],
  ['application/vnd.docker.ai.', 'a model for machine learning'],
  ['application/vnd.cncf.model.', 'a model for machine learning'],
  ['application/vnd.ollama.', 'a model for machine learning'],
  ['application/vnd.buildkit.cacheconfig.', 'a build cache'],
  ['application/vnd.cncf.flux.', 'a Flux artifact'],
  ['application/vnd.cncf.openpolicyagent.', 'a policy of Open Policy Agent'],
  ['application/vnd.sylabs.sif.', 'a Singularity image'],
  ['application/vnd.devcontainers', 'a development container feature'],
];

/**
 * What the manifest is, in words, and the media type that says so; undefined
 * for an image. Words for a type that is not known: `an artifact`.
 */
export function artifactOf(
  manifest: Manifest,
): { readonly words: string; readonly mediaType: string } | undefined {
  const { artifactType, config, layers } = manifest;
  const first = layers[0]?.mediaType;
  if (isImageConfig(config.mediaType)) {
    const told = layers.map(({ mediaType }) => ({ words: wordsOf(mediaType), mediaType }));
    const known = told.find(({ words }) => words !== undefined);
    return known?.words === undefined ? undefined : { words: known.words, mediaType: known.mediaType };
  }
  const types = [artifactType, config.mediaType === EMPTY ? undefined : config.mediaType, first].filter(
    (type) => type !== undefined,
  );
  for (const mediaType of types) {
    const words = wordsOf(mediaType);
    if (words !== undefined) return { words, mediaType };
  }
  return { words: 'an artifact', mediaType: types[0] ?? config.mediaType };
}

function wordsOf(mediaType: string): string | undefined {
  return KINDS.find(([beginning]) => mediaType.startsWith(beginning))?.[1];
}
