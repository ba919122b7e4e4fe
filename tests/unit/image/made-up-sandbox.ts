/** `Images` on stores in memory, with the real ingest, and a made-up registry to pull from. */

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { LayerTree } from '../../../images/layer-tree.ts';
import { Unpackers } from '../../../src/engine/archive/unpackers.ts';
import { EventStream, type StampedEvent } from '../../../src/engine/events.ts';
import type { ImageUse } from '../../../src/engine/image/image-parts.ts';
import { Images, type PullOptions } from '../../../src/engine/image/images.ts';
import { InlineIngestor } from '../../../src/engine/image/inline-ingestor.ts';
import { LayerCache } from '../../../src/engine/image/layer-cache.ts';
import type { IngestRequest, LayerIngestor } from '../../../src/engine/image/layer-ingestor.ts';
import type { PullProgress } from '../../../src/engine/image/pull-progress.ts';
import { parseReference } from '../../../src/engine/oci/reference.ts';
import type { Mirrors } from '../../../src/engine/registry/mirrors.ts';
import { Registries } from '../../../src/engine/registry/registries.ts';
import { collectGarbage } from '../../../src/engine/store/garbage.ts';
import type { JournalStore } from '../../../src/engine/store/journal.ts';
import { Leases } from '../../../src/engine/store/leases.ts';
import { MemoryContentStore } from '../../../src/engine/store/memory-content.ts';
import { MemoryRecordStore } from '../../../src/engine/store/memory-records.ts';
import { codecsModule } from '../archive/unpacking.ts';
import { AT_ONCE, jsonBytes, MadeUpRepository, MadeUpWeb } from '../registry/made-up-registry.ts';

export const CONFIG = 'application/vnd.oci.image.config.v1+json';
export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX = 'application/vnd.oci.image.index.v1+json';
export const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

const noJournals: JournalStore = {
  open: () => Promise.reject(new Error('no journal is kept here')),
  delete: async () => undefined,
  list: async () => [],
};

export interface MadeUpLayer {
  readonly blob: { readonly mediaType: string; readonly digest: `sha256:${string}`; readonly size: number };
  readonly diffID: `sha256:${string}`;
}

/** A repository of localhost:5000 that images can be put into. */
export class MadeUpImages extends MadeUpRepository {
  /** A layer of one file whose content is `text`. */
  layer(text: string): MadeUpLayer {
    const tar = new LayerTree().file(`${text.slice(0, 20)}.txt`, text).tar();
    const diffID = `sha256:${createHash('sha256').update(tar).digest('hex')}` as const;
    return { blob: { mediaType: LAYER, ...this.blob(new Uint8Array(gzipSync(tar))) }, diffID };
  }

  /** Config and manifest of an image; returns both descriptors. */
  image(
    layers: readonly MadeUpLayer[],
    options: { tags?: string[]; architecture?: string; os?: string; more?: object } = {},
  ) {
    const { tags = [], architecture = '386', os = 'linux', more = {} } = options;
    const document = {
      created: '2024-01-01T00:00:00Z',
      architecture,
      os,
      config: { Env: ['A=b'], Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffID }) => diffID) },
      ...more,
    };
    const config = { mediaType: CONFIG, ...this.blob(jsonBytes(document)) };
    const manifest = this.manifest(
      { ...{ schemaVersion: 2 }, mediaType: MANIFEST, ...{ config, layers: layers.map(({ blob }) => blob) } },
      ...tags,
    );
    return { config, manifest, platform: { os, architecture } };
  }

  index(images: readonly ReturnType<MadeUpImages['image']>[], ...tags: string[]) {
    const manifests = images.map(({ manifest, platform }) => ({ ...manifest, platform }));
    return this.manifest({ ...{ schemaVersion: 2, manifests }, mediaType: INDEX }, ...tags);
  }
}

export function madeUpSandbox(
  options: { wrap?: (ingestor: LayerIngestor) => LayerIngestor; web?: MadeUpWeb; mirrors?: Mirrors } = {},
) {
  const web = options.web ?? new MadeUpWeb();
  const registry = new MadeUpImages('app');
  web.host('http://localhost:5000/', registry.answer);
  const content = new MemoryContentStore();
  const records = new MemoryRecordStore();
  let time = 1000;
  const now = () => time++;
  const events = new EventStream(now);
  const seen: StampedEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const leases = new Leases(records, now);
  const uses = new Map<string, ImageUse[]>();
  const ingested: IngestRequest[] = [];
  const inline = new InlineIngestor({
    fetch: web.fetch,
    content,
    unpackers: new Unpackers(async () => codecsModule),
  });
  const ingestor: LayerIngestor = {
    ingest: (request, how) => {
      ingested.push(request);
      return inline.ingest(request, { ...how, line: { ...how.line, patience: AT_ONCE } });
    },
    close: () => inline.close(),
  };
  const images = new Images({
    content,
    records,
    layers: new LayerCache(records),
    leases,
    registries: new Registries({
      mirrors: options.mirrors ?? {},
      fetch: web.fetch,
      events,
      now,
      patience: AT_ONCE,
    }),
    ingestor: options.wrap?.(ingestor) ?? ingestor,
    events,
    now,
    usedBy: async (imageID) => uses.get(imageID) ?? [],
    collectGarbage: () => collectGarbage({ content, records, leases, journals: noJournals }),
  });
  const pull = async (text: string, how: Partial<PullOptions> = {}) => {
    const progress: PullProgress[] = [];
    const pulled = await images.pull(parseReference(text), {
      signal: new AbortController().signal,
      onProgress: (step) => progress.push(step),
      ...how,
    });
    return { ...pulled, progress };
  };
  /** What a failed pull must not leave behind. */
  const leftovers = async () => ({
    images: (await records.ids('images')).length,
    leases: (await records.ids('leases')).length,
    ingests: (await content.pendingIngests()).length,
  });
  return { web, registry, content, records, leases, events, seen, uses, ingested, images, pull, leftovers };
}

/** A promise and the ways to settle it. */
export function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
