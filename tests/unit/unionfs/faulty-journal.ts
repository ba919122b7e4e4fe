/** A journal whose segments can be cut, whose appends can fail, and that can be copied as a killed tab leaves it. */

import { ContentMissingError } from '../../../src/engine/errors.ts';
import type { Journal } from '../../../src/engine/store/journal.ts';

export class FaultyJournal implements Journal {
  readonly stored: Map<number, Uint8Array<ArrayBuffer>>;
  next: number;
  /** Thrown by each append while it is set. */
  appendFailure: Error | undefined;
  removeFailure: Error | undefined;
  readonly removed: number[] = [];
  /** Called after each append and remove. */
  onStep: ((journal: FaultyJournal) => void) | undefined;

  constructor(stored = new Map<number, Uint8Array<ArrayBuffer>>(), next = 1) {
    this.stored = stored;
    this.next = next;
  }

  get segments(): readonly { readonly number: number; readonly size: number }[] {
    return Array.from(this.stored, ([number, bytes]) => ({ number, size: bytes.length }));
  }

  get bytes(): number {
    return [...this.stored.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  }

  copy(): FaultyJournal {
    return new FaultyJournal(new Map(this.stored), this.next);
  }

  /** Leaves only the first `length` bytes of the last segment. */
  cutLast(length: number): void {
    const last = [...this.stored.keys()].at(-1) ?? 0;
    this.stored.set(last, this.stored.get(last)?.slice(0, length) ?? new Uint8Array(0));
  }

  async read(number: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = this.stored.get(number);
    if (bytes === undefined) throw new ContentMissingError(`no segment ${number}`);
    return bytes.slice();
  }

  async append(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    if (this.appendFailure !== undefined) throw this.appendFailure;
    const number = this.next;
    this.next += 1;
    this.stored.set(number, bytes.slice());
    this.onStep?.(this);
    return number;
  }

  async remove(numbers: readonly number[]): Promise<void> {
    if (this.removeFailure !== undefined) throw this.removeFailure;
    for (const number of numbers) {
      this.stored.delete(number);
      this.removed.push(number);
      this.onStep?.(this);
    }
  }

  closed = false;

  async close(): Promise<void> {
    this.closed = true;
  }
}
