/** An OCI image layout written to a folder (image-spec, image-layout.md), the same bytes every time. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerTree } from './layer-tree.ts';

const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface BuiltLayer {
  readonly blob: Descriptor;
  readonly diffID: string;
}

export interface ImageContent {
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: readonly BuiltLayer[];
  /** Dockerfile instructions in order; `layer` says which of them made one. */
  readonly history: readonly { readonly instruction: string; readonly layer: boolean }[];
}

export class LayoutFolder {
  readonly #folder: string;
  readonly #created: string;
  readonly #named: (Descriptor & { readonly annotations: Readonly<Record<string, string>> })[] = [];

  /** `created`: the time that images and steps say, RFC 3339. */
  constructor(folder: string, created: string) {
    this.#folder = folder;
    this.#created = created;
    mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
  }

  layer(tree: LayerTree): BuiltLayer {
    const tar = tree.tar();
    // GNU gzip: Node's own zlib gives other bytes on other processors
    const compressed = execFileSync('gzip', ['-n', '-9'], { input: tar, maxBuffer: 1 << 30 });
    return { blob: this.#blob(compressed, LAYER), diffID: digestOf(tar) };
  }

  /** Writes config and manifest; the names point to it. */
  image(content: ImageContent, names: readonly string[]): void {
    const created = this.#created;
    const config = this.#document(
      {
        created,
        architecture: '386',
        os: 'linux',
        config: content.config,
        rootfs: { type: 'layers', diff_ids: content.layers.map(({ diffID }) => diffID) },
        history: content.history.map(({ instruction, layer }) => ({
          created,
          created_by: instruction,
          ...(!layer && { empty_layer: true }),
        })),
      },
      CONFIG,
    );
    const manifest = this.#document(
      { schemaVersion: 2, mediaType: MANIFEST, config, layers: content.layers.map(({ blob }) => blob) },
      MANIFEST,
    );
    for (const name of names) {
      this.#named.push({ ...manifest, annotations: { 'org.opencontainers.image.ref.name': name } });
    }
  }

  /** Writes what makes the folder a layout. */
  finish(): void {
    const platform = { architecture: '386', os: 'linux' };
    const manifests = this.#named.map((named) => ({ ...named, platform }));
    const index = { schemaVersion: 2, mediaType: INDEX, manifests };
    writeFileSync(join(this.#folder, 'index.json'), `${JSON.stringify(index, undefined, 2)}\n`);
    writeFileSync(join(this.#folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  }

  #document(value: unknown, mediaType: string): Descriptor {
    return this.#blob(Buffer.from(JSON.stringify(value)), mediaType);
  }

  #blob(bytes: Uint8Array, mediaType: string): Descriptor {
    const digest = digestOf(bytes);
    writeFileSync(join(this.#folder, 'blobs/sha256', digest.slice('sha256:'.length)), bytes);
    return { mediaType, digest, size: bytes.length };
  }
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
