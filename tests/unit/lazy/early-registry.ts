/** An image in eStargz on a made-up registry whose whole blobs can be held back, and whose ranges are counted. */

import { createHash } from 'node:crypto';
import type { Fetch } from '../../../src/engine/registry/request.ts';
import { type StargzFile, type StargzLayer, type StargzOptions, stargzLayer } from '../../support/estargz.ts';
import { jsonBytes, MadeUpRepository } from '../registry/made-up-registry.ts';
import { noise } from './fixture.ts';

/** Base: 900 KB in three files. */
export const baseFiles: readonly StargzFile[] = [
  { name: 'bin/', type: 'dir', mode: 0o755 },
  { name: 'bin/sh', content: noise(300_000, 1), mode: 0o755 },
  { name: 'data', content: noise(400_000, 2) },
  { name: 'rest', content: noise(200_000, 3) },
];

const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

export class EarlyRegistry {
  readonly repository = new MadeUpRepository('app');
  /** `range digest`, `whole digest`, in order. */
  readonly seen: string[] = [];
  /** False: it answers 200 and the whole to every request of a part. */
  hasRanges = true;
  /** Of the bytes of parts. */
  tamper: ((bytes: Uint8Array<ArrayBuffer>, start: number) => void) | undefined;
  /** True for the requests of parts that are never answered. */
  isSilent: ((start: number) => boolean) | undefined;
  /** Requests that were not answered when they were given up. */
  givenUp = 0;
  /** In place of whole blobs of layers. */
  whole: ((digest: string) => Response | undefined) | undefined;
  #held: (() => void)[] | undefined;

  constructor() {
    this.hold();
  }

  /** Whole blobs of layers wait until `release`. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const resume of held) resume();
  }

  get waiting(): number {
    return this.#held?.length ?? 0;
  }

  /** Puts an image of these layers under `localhost:5000/app:TAG`. */
  image(tag: string, layers: readonly { layer: StargzLayer; annotated?: boolean; diffID?: string }[]): void {
    const config = {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      ...this.repository.blob(
        jsonBytes({
          architecture: '386',
          os: 'linux',
          config: { Cmd: ['sh'] },
          rootfs: { type: 'layers', diff_ids: layers.map(({ layer, diffID }) => diffID ?? layer.diffID) },
        }),
      ),
    };
    const blobs = layers.map(({ layer, annotated = true }) => ({
      mediaType: LAYER,
      ...this.repository.blob(Uint8Array.from(layer.blob)),
      ...(annotated && { annotations: layer.annotations }),
    }));
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = { schemaVersion: 2, mediaType, config, layers: blobs };
    this.repository.manifest(manifest, tag);
  }

  readonly fetch: Fetch = async (url, init) => {
    const headers = new Headers(init?.headers);
    const signal = init?.signal ?? new AbortController().signal;
    const answer = await this.repository.answer(
      { url, accept: headers.get('accept') ?? '', authorization: '' },
      signal,
    );
    const digest = /\/blobs\/(sha256:[0-9a-f]+)$/.exec(url)?.[1];
    if (digest === undefined || answer.status !== 200) return answer;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.get('range') ?? '') ?? [];
    // what no program waits for is read from the start, in parts that are larger than these layers
    const isWhole = first === undefined || first === '0' || !this.hasRanges;
    if (!isWhole) {
      this.seen.push(`range ${digest}`);
      if (this.isSilent?.(Number(first))) {
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            this.givenUp += 1;
            reject(signal.reason);
          });
        });
      }
      const part = bytes.slice(Number(first), Number(last) + 1);
      this.tamper?.(part, Number(first));
      return partOf(part, Number(first), bytes.length);
    }
    if (bytes[0] !== 0x1f) return new Response(bytes);
    this.seen.push(`whole ${digest}`);
    if (this.#held !== undefined) {
      await new Promise<void>((resolve, reject) => {
        this.#held?.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    }
    return (
      this.whole?.(digest) ??
      (first === '0' && this.hasRanges ? partOf(bytes, 0, bytes.length) : new Response(bytes))
    );
  };
}

const partOf = (part: Uint8Array<ArrayBuffer>, first: number, size: number) =>
  new Response(part, {
    status: 206,
    headers: { 'content-range': `bytes ${first}-${first + part.length - 1}/${size}` },
  });

/** A layer of files that are named after nobody else's. */
export const layerOf = (files: readonly StargzFile[] = baseFiles, options: StargzOptions = {}) =>
  stargzLayer(files, { chunkSize: 100_000, ...options });

export const contentSum = (bytes: Uint8Array) =>
  createHash('sha256').update(bytes).digest('hex').slice(0, 16);
