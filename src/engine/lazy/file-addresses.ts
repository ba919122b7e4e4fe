/** Which file of an index has its content at an address: offsets to entries, sorted. */

import type { LayerIndex } from '../layer/layer-index.ts';

export interface FileAt {
  /** Number of the entry in the index. */
  readonly entry: number;
  /** Bytes from the start of its content. */
  readonly within: number;
}

export class FileAddresses {
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #entries: Uint32Array;

  /** Of all files with content; hard links to them are the same files. */
  constructor(index: LayerIndex) {
    const files: { offset: number; end: number; number: number }[] = [];
    for (let number = 0; number < index.count; number++) {
      const { type, offset, size } = index.entry(number);
      if (type === 'file' && size > 0) files.push({ offset, end: offset + size, number });
    }
    files.sort((a, b) => a.offset - b.offset);
    this.#starts = Float64Array.from(files, (file) => file.offset);
    this.#ends = Float64Array.from(files, (file) => file.end);
    this.#entries = Uint32Array.from(files, (file) => file.number);
  }

  /** The file at an address, or undefined where there is none. */
  find(address: number): FileAt | undefined {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) > address) high = middle;
      else low = middle + 1;
    }
    const at = low - 1;
    const start = this.#starts[at];
    const entry = this.#entries[at];
    if (start === undefined || entry === undefined || address >= (this.#ends[at] ?? 0)) return undefined;
    return { entry, within: address - start };
  }
}
