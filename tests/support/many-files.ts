/** Trees of many files as layers' entries: for tests and figures of what an image of any size costs. */

import type { LayerIndex } from '../../src/engine/layer/layer-index.ts';
import type { NewEntry } from '../../src/engine/layer/layer-index-builder.ts';
import { buildLayerIndex } from '../../src/engine/layer/layer-index-builder.ts';
import type { DiffID } from '../../src/engine/oci/digest.ts';

const base = { uid: 0, gid: 0, mtimeNs: 1_700_000_000_000_000_000n };
const FILES_PER_DIRECTORY = 50;

export const numberedDiffID = (number: number): DiffID => `sha256:${number.toString(16).padStart(64, '0')}`;

/** Path of file `number` of all: fifty in each directory, as in a large image. */
export function pathOfFile(number: number): string {
  const directory = Math.floor(number / FILES_PER_DIRECTORY);
  return `usr/share/part-${directory % 40}/package-${directory}/file-${number}.txt`;
}

/** What layer `layer` of `layers` brings of so many files: every layers-th one, with its directories. */
export function* entriesOfLayer(layer: number, layers: number, files: number): Generator<NewEntry> {
  const made = new Set<string>();
  let offset = 512;
  for (let number = layer; number < files; number += layers) {
    const path = pathOfFile(number);
    const directory = path.slice(0, path.lastIndexOf('/'));
    if (!made.has(directory)) yield { ...base, path: directory, type: 'dir', mode: 0o755 };
    made.add(directory);
    yield { ...base, path, type: 'file', mode: 0o644, size: 1000, offset };
    offset += 2048;
  }
}

/** The layers, bottom first, that together hold so many files; many directories are in several of them. */
export function layersOfFiles(layers: number, files: number): LayerIndex[] {
  return Array.from({ length: layers }, (_, layer) =>
    buildLayerIndex(numberedDiffID(layer), entriesOfLayer(layer, layers, files)),
  );
}

/** One directory `d` of so many files. */
export function* entriesOfDirectory(files: number): Generator<NewEntry> {
  yield { ...base, path: 'd', type: 'dir', mode: 0o755 };
  for (let i = 0; i < files; i++) {
    yield { ...base, path: `d/name-${i}`, type: 'file', mode: 0o644, size: 10, offset: 512 + i * 1024 };
  }
}
