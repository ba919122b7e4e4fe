/** Artifacts that refer to an image (image-spec, "Guidelines for Artifact Usage"), as an OCI layout that skopeo copies to a registry. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from './registry.ts';
import { run } from './run.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const EMPTY = 'application/vnd.oci.empty.v1+json';
const IN_TOTO = 'application/vnd.in-toto+json';

export interface Described {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A statement of one kind about a subject. */
export interface Artifact {
  readonly artifactType: string;
  readonly predicateType: string;
  readonly predicate: unknown;
}

export interface PushedArtifact extends Described {
  readonly artifactType: string;
  /** Of the statement. */
  readonly blob: Described;
}

/**
 * Pushes artifacts whose subject is a manifest of the repository, each under a tag `referrer-0`, and with `putList` the
 * list of them under the tag that stands in for the referrers API, as the distribution-spec has clients do it ("Pushing
 * Manifests with Subject"). Debian's skopeo leaves artifactType out of lists, so that it cannot do that.
 */
export async function pushReferrers(
  target: { readonly host: string; readonly repository: string; readonly creds?: string },
  subject: Described,
  artifacts: readonly Artifact[],
  putList: (tag: string, mediaType: string, bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<readonly PushedArtifact[]> {
  const layout = await mkdtemp(join(tmpdir(), 'layerbox-artifact-'));
  const put = async (mediaType: string, document: unknown): Promise<Described> => {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = sha256(bytes);
    await writeFile(join(layout, 'blobs/sha256', digest.slice(7)), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  try {
    await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
    await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    const config = await put(EMPTY, {});
    const pushed: PushedArtifact[] = [];
    for (const { artifactType, predicateType, predicate } of artifacts) {
      const blob = await put(IN_TOTO, {
        _type: 'https://in-toto.io/Statement/v1',
        subject: [{ name: target.repository, digest: { sha256: subject.digest.slice(7) } }],
        predicateType,
        predicate,
      });
      const annotations = { 'in-toto.io/predicate-type': predicateType };
      const layers = [{ ...blob, annotations }];
      const { mediaType, digest, size } = subject;
      const manifest = await put(MANIFEST, {
        ...{ schemaVersion: 2, mediaType: MANIFEST, artifactType, config, layers },
        subject: { mediaType, digest, size },
      });
      pushed.push({ ...manifest, artifactType, blob });
    }
    const manifests = pushed.map(({ blob: _, ...entry }) => entry);
    const index = manifests.map(({ digest, size, mediaType }, i) => ({
      ...{ mediaType, digest, size },
      annotations: { 'org.opencontainers.image.ref.name': `referrer-${i}` },
    }));
    await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: index }));
    for (const i of index.keys()) {
      await run('skopeo', [
        ...['copy', '--quiet', '--insecure-policy', '--preserve-digests', '--dest-tls-verify=false'],
        ...(target.creds === undefined ? [] : ['--dest-creds', target.creds]),
        `oci:${layout}:referrer-${i}`,
        `docker://${target.host}/${target.repository}:referrer-${i}`,
      ]);
    }
    const list = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests });
    await putList(subject.digest.replace(':', '-'), INDEX, new TextEncoder().encode(list));
    return pushed;
  } finally {
    await rm(layout, { recursive: true });
  }
}
