/** Lookups in lists of nodes that are sorted by name. */

/**
 * Looks entries up in a sorted list, each behind the one before: with a step that doubles, so that a layer with many
 * names costs a pass through the list and one with few costs a binary search for each.
 */
export class OrderedSearch {
  readonly #list: readonly number[];
  readonly #compare: (node: number, entry: number) => number;
  #from = 0;

  constructor(list: readonly number[], compare: (node: number, entry: number) => number) {
    this.#list = list;
    this.#compare = compare;
  }

  /** Place in the list, or -1. Entries must come in order. */
  find(entry: number): number {
    const list = this.#list;
    let low = this.#from;
    let high = low;
    for (let step = 1; high < list.length && this.#compare(list[high] ?? 0, entry) < 0; step *= 2) {
      low = high + 1;
      high = Math.min(list.length, high + step);
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(list[middle] ?? 0, entry) < 0) low = middle + 1;
      else high = middle;
    }
    this.#from = low;
    const node = list[low];
    return node !== undefined && this.#compare(node, entry) === 0 ? low : -1;
  }
}

/** The node of a sorted list for which `order` is 0, being less for those before it and more for those behind; or undefined. */
export function findOrdered(list: readonly number[], order: (node: number) => number): number | undefined {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const node = list[middle] ?? 0;
    const found = order(node);
    if (found === 0) return node;
    if (found < 0) low = middle + 1;
    else high = middle;
  }
  return undefined;
}
