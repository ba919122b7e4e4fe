/** The steps that made an image (image-spec, config.md, "history"), beside the layers they made. */

import type { HistoryEntry, ImageConfig } from '../oci/config.ts';
import type { DiffID, Digest } from '../oci/digest.ts';
import type { ImageRecord } from '../store/records.ts';

export interface HistoryLine {
  /** The image ID for the newest step; what lies below it has none of its own here. */
  readonly imageID?: Digest;
  /** As RFC 3339 has it. */
  readonly created?: string;
  readonly createdBy: string;
  readonly comment: string;
  /** Bytes of file content that the step added. */
  readonly size: number;
  /** The layer, when the step made one. */
  readonly diffID?: DiffID;
}

/**
 * Newest first. History is free text that need not fit the layers: a layer
 * that no step names gets a line without words, a step too many no layer.
 */
export function historyLines(
  record: ImageRecord,
  config: ImageConfig,
  sizes: readonly number[],
): readonly HistoryLine[] {
  const lines: HistoryLine[] = [];
  let layer = 0;
  for (const step of config.history) {
    lines.push(lineOf(step, step.emptyLayer ? undefined : layer, record, sizes));
    if (!step.emptyLayer) layer += 1;
  }
  for (; layer < record.layers.length; layer++) lines.push(lineOf(undefined, layer, record, sizes));
  lines.reverse();
  return lines.map((line, i) => (i === 0 ? { imageID: record.imageID, ...line } : line));
}

function lineOf(
  step: HistoryEntry | undefined,
  layer: number | undefined,
  record: ImageRecord,
  sizes: readonly number[],
): HistoryLine {
  const diffID = layer === undefined ? undefined : record.layers[layer]?.diffID;
  return {
    ...(step?.created !== undefined && { created: step.created }),
    createdBy: step?.createdBy ?? '',
    comment: step?.comment ?? '',
    size: layer === undefined ? 0 : (sizes[layer] ?? 0),
    ...(diffID !== undefined && { diffID }),
  };
}

/** What made each layer, bottom first: '' where the history does not say. */
export function layerSteps(record: ImageRecord, config: ImageConfig): readonly string[] {
  const steps = config.history.filter((step) => !step.emptyLayer);
  return record.layers.map((_, i) => steps[i]?.createdBy ?? '');
}
