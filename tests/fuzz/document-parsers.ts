/** Documents of the specifications, and the names in them. */

import { NoMatchingPlatformError } from '../../src/engine/errors.ts';
import { parseAttestation } from '../../src/engine/oci/attestation.ts';
import { parseConfig } from '../../src/engine/oci/config.ts';
import { parseDigest } from '../../src/engine/oci/digest.ts';
import { parseIndex } from '../../src/engine/oci/index.ts';
import { parseManifest, requireImage } from '../../src/engine/oci/manifest.ts';
import { chooseManifest } from '../../src/engine/oci/platform.ts';
import { formatReference, parseReference } from '../../src/engine/oci/reference.ts';
import { embeddedBytes } from '../../src/engine/registry/embedded.ts';
import { openDocument } from '../../src/engine/registry/fetched-document.ts';
import { type FuzzedParsers, inText, jsonWords } from './fuzzed-parser.ts';

export const documentParsers: FuzzedParsers = {
  manifest: {
    parse: (input) => {
      const manifest = parseManifest(input, 'it');
      requireImage(manifest, 'it');
      for (const { data, mediaType } of [manifest.config, ...manifest.layers]) {
        if (data !== undefined) embeddedBytes(data, mediaType);
      }
      return manifest.layers.length;
    },
    words: jsonWords,
  },
  index: {
    parse: (input) => {
      const { manifests } = parseIndex(input, 'it');
      try {
        chooseManifest(manifests);
        chooseManifest(manifests, { os: 'linux', architecture: 'arm', variant: 'v7' });
      } catch (error) {
        // an index without anything for this machine is a good one all the same
        if (!(error instanceof NoMatchingPlatformError)) throw error;
      }
      return manifests.length;
    },
    words: [...jsonWords, 'platform', 'architecture', 'variant', 'unknown'],
  },
  // of which only the first bytes say what it is
  'document of any kind': {
    parse: async (input) => (await openDocument(input, { what: 'it' })).bytes.length,
    words: [...jsonWords, 'application/vnd.oci.image.index.v1+json'],
  },
  config: { parse: (input) => parseConfig(input, 'it').diffIDs.length, words: jsonWords },
  attestation: {
    parse: (input) => {
      const { packages, build } = parseAttestation(input, 'it');
      return (packages?.length ?? 0) + (build?.parameters.length ?? 0);
    },
    words: [...jsonWords, 'payload', 'payloadType', 'predicate', 'packages', 'components'],
  },
  reference: {
    parse: inText((value) => {
      const reference = parseReference(value);
      // what is stored under a name must be found under it again
      const again = formatReference(parseReference(formatReference(reference)));
      if (again !== formatReference(reference)) throw new TypeError(`${again} is another reference`);
      return reference.repository.length;
    }),
    words: ['/', ':', '@', '--', '__', '.', 'docker.io', 'sha256:', '[', ']'],
  },
  digest: {
    parse: inText((value) => parseDigest(value).length),
    words: ['sha512:', 'f'.repeat(128)],
  },
  'embedded data': {
    parse: inText((value) => embeddedBytes(value, 'it').length),
    words: ['=', '==', '+', '/', '-', '_', '\n'],
  },
};
