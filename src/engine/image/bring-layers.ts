/** The layers of a pull, a few at a time: those that can be read before they are here behind the others. */

import { type DiffID, splitDigest } from '../oci/digest.ts';
import type { ImageSource } from '../registry/source.ts';
import type { ImageRecord } from '../store/records.ts';
import { EarlyLayers } from './early-layers.ts';
import type { ImageParts } from './image-parts.ts';
import { cancelled } from './ingest-source.ts';
import { LAYERS_AT_ONCE, type LayerFetches } from './layer-fetches.ts';
import type { PullReport } from './pull-report.ts';

/** Of layers that can be read already: a browser has six connections to a host, and files that are touched want four. */
const READABLE_AT_ONCE = 2;
/** Bytes of a layer that are asked for at a time while a program may be waiting for others of it. */
const PIECE = 1 << 20;

type Layers = ImageRecord['layers'];

/** The pull that the layers are of. */
interface LayersOf {
  readonly parts: ImageParts;
  /** The image, for errors. */
  readonly name: string;
  readonly source: ImageSource;
  readonly signal: AbortSignal;
}

/**
 * Brings what is missing. `onReadable` is called when what is still to come can be read already; then the rest is
 * brought, while what a program touches is fetched before it.
 */
export async function bringLayers(
  pull: LayersOf,
  fetches: LayerFetches,
  layers: Layers,
  report: PullReport,
  onReadable: (() => Promise<void>) | undefined,
): Promise<void> {
  const distinct = [...new Map(layers.map((layer) => [layer.diffID, layer])).values()];
  const missing: Layers[number][] = [];
  for (const layer of distinct) {
    const isHere = await fetches.has(layer.diffID);
    report.layer(layer, isHere ? 'Already exists' : 'Pulling fs layer', 0);
    if (!isHere) missing.push(layer);
  }
  const { early: reading } = pull.parts;
  if (onReadable === undefined || reading === undefined) return bringEach(pull, fetches, missing, report);
  const early = new EarlyLayers(pull.parts);
  try {
    await early.open(missing, pull.source, pull.name, reading, pull.signal);
    const readable = missing.filter(({ diffID }) => early.has(diffID));
    for (const layer of readable) report.layer(layer, 'Ready to read', 0);
    const rest = missing.filter(({ diffID }) => !early.has(diffID));
    await bringEach(pull, fetches, rest, report);
    if (readable.length === 0) return;
    await onReadable();
    await early.prefetch(pull.signal);
    await bringEach(pull, fetches, readable, report, {
      piece: PIECE,
      atOnce: READABLE_AT_ONCE,
      andThen: ({ diffID }) => early.settle(diffID),
    });
  } catch (error) {
    early.fail(error);
    throw error;
  }
}

interface BringOptions {
  /** As IngestRequest has it. */
  readonly piece?: number;
  /** Default: LAYERS_AT_ONCE. */
  readonly atOnce?: number;
  /** Follows when the layer is here. */
  readonly andThen?: (layer: Layers[number]) => Promise<void>;
}

/** A few at a time, bottom first, each with what is to follow. The first failure ends the others; nothing goes on once this settled. */
async function bringEach(
  pull: LayersOf,
  fetches: LayerFetches,
  missing: Layers,
  report: PullReport,
  how: BringOptions = {},
): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([pull.signal, failure.signal]);
  const errors: unknown[] = [];
  const queue = missing.values();
  const worker = async () => {
    for (const layer of queue) {
      if (signal.aborted) return;
      try {
        await bringLayer(pull, fetches, layer, report, signal, how.piece);
        await how.andThen?.(layer);
      } catch (error) {
        if (!signal.aborted) report.layerFailed(layer);
        errors.push(error);
        failure.abort(error);
      }
    }
  };
  const { atOnce = LAYERS_AT_ONCE } = how;
  missing.slice(atOnce).forEach((layer) => {
    report.layer(layer, 'Waiting', 0);
  });
  await Promise.all(Array.from({ length: Math.min(atOnce, missing.length) }, worker));
  if (errors.length > 0) throw errors[0];
  // before the first of them began
  if (pull.signal.aborted) throw cancelled(`the layers of ${pull.name}`, pull.signal.reason);
}

async function bringLayer(
  pull: LayersOf,
  fetches: LayerFetches,
  layer: Layers[number],
  report: PullReport,
  signal: AbortSignal,
  piece?: number,
): Promise<void> {
  const { blob, diffID } = layer;
  let isDownloaded = false;
  await fetches.bring(
    {
      diffID,
      request: async (signal) => ({
        ...(await pull.source.blobRequest(blob, { signal })),
        id: ingestID(diffID),
        what: `layer ${blob.digest} of ${pull.name}`,
        blob,
        diffID,
        ...(piece !== undefined && { piece }),
      }),
    },
    {
      signal,
      onProgress: (progress) => {
        if (progress.status === 'waiting') return report.layer(layer, 'Waiting', 0);
        if (progress.status === 'retrying') return report.retrying(layer, progress.wait);
        const { status, bytes } = progress;
        if (status === 'downloading') report.layer(layer, 'Downloading', bytes);
        if (status === 'verifying') report.layer(layer, 'Verifying Checksum', bytes);
        if (status !== 'extracting') return;
        if (!isDownloaded) report.layer(layer, 'Download complete', blob.size);
        isDownloaded = true;
        report.layer(layer, 'Extracting', bytes);
      },
    },
  );
  report.layer(layer, 'Pull complete', blob.size);
}

function ingestID(diffID: DiffID): string {
  return `layer-${splitDigest(diffID).hex}`;
}
