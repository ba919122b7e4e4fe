/**
 * Segment: where content of an upper lies. It is first in memory, waiting to
 * be sealed, then one segment of the journal, whose bytes may leave memory.
 * Bytes once written stay where they are, so an extent can point to them from
 * the first moment.
 */
export class Segment {
  /** Its own number in the log, given before the journal gives one. */
  readonly id: number;
  /** The journal's number; undefined until the journal acknowledged it. */
  number: number | undefined;
  size: number;
  /** Bytes of content that extents still point to. */
  live = 0;
  /** Present while pending or cached; may be longer than what is written of it. */
  bytes: Uint8Array<ArrayBuffer> | undefined;

  constructor(id: number, number: number | undefined, size: number) {
    this.id = id;
    this.number = number;
    this.size = size;
  }
}
