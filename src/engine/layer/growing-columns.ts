/** Columns of numbers that grow: the entries of an index while it is being built, packed from the start. */

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;
type Columns = ReturnType<typeof columnsOfLength>;
type ColumnName = keyof Columns;

/** Widths as `packed-layout.ts` has them. */
function columnsOfLength(length: number) {
  return {
    type: new Uint8Array(length),
    flags: new Uint8Array(length),
    mode: new Uint16Array(length),
    uid: new Uint32Array(length),
    gid: new Uint32Array(length),
    mtimeSeconds: new Float64Array(length),
    mtimeNanos: new Uint32Array(length),
    size: new Float64Array(length),
    offset: new Float64Array(length),
    rdevMajor: new Uint32Array(length),
    rdevMinor: new Uint32Array(length),
  };
}

const columnNames: readonly ColumnName[] = [
  'type',
  'flags',
  'mode',
  'uid',
  'gid',
  'mtimeSeconds',
  'mtimeNanos',
  'size',
  'offset',
  'rdevMajor',
  'rdevMinor',
];

export class GrowingColumns {
  /** Replaced when a row more is asked for; take columns anew after that. */
  columns = columnsOfLength(256);
  #capacity = 256;

  /** Makes room for row `number`, which is zeros. */
  reserve(number: number): void {
    if (number < this.#capacity) return;
    this.#capacity *= 2;
    const larger = columnsOfLength(this.#capacity);
    for (const name of columnNames) larger[name].set(this.columns[name]);
    this.columns = larger;
  }

  copyRow(from: number, to: number): void {
    for (const name of columnNames) this.columns[name][to] = this.columns[name][from] ?? 0;
  }

  /** Writes the rows in the given order. */
  write(order: readonly number[], columns: Readonly<Record<ColumnName, Column>>): void {
    for (const name of columnNames) {
      const from = this.columns[name];
      const to = columns[name];
      for (let at = 0; at < order.length; at++) to[at] = from[order[at] ?? 0] ?? 0;
    }
  }
}
