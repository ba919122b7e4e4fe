/** Journals in memory: for Node, for tests, and for uppers that need not last. */

import { ContentMissingError, SandboxInUseError } from '../errors.ts';
import type { Journal, JournalStore } from './journal.ts';

interface StoredJournal {
  readonly segments: Map<number, Uint8Array<ArrayBuffer>>;
  next: number;
  isOpen: boolean;
}

export class MemoryJournalStore implements JournalStore {
  readonly #journals = new Map<string, StoredJournal>();

  /** Throws SandboxInUseError while another has it open. */
  async open(name: string): Promise<Journal> {
    const stored = this.#journals.get(name) ?? { segments: new Map(), next: 1, isOpen: false };
    if (stored.isOpen) {
      throw new SandboxInUseError(`the journal ${JSON.stringify(name)} is open already; close it first`, {
        name,
      });
    }
    stored.isOpen = true;
    this.#journals.set(name, stored);
    return new MemoryJournal(name, stored);
  }

  async delete(name: string): Promise<void> {
    this.#journals.delete(name);
  }

  async list(): Promise<readonly string[]> {
    return [...this.#journals.keys()];
  }
}

class MemoryJournal implements Journal {
  readonly #name: string;
  readonly #stored: StoredJournal;

  constructor(name: string, stored: StoredJournal) {
    this.#name = name;
    this.#stored = stored;
  }

  get segments(): readonly { readonly number: number; readonly size: number }[] {
    return Array.from(this.#stored.segments, ([number, bytes]) => ({ number, size: bytes.length }));
  }

  get next(): number {
    return this.#stored.next;
  }

  async read(number: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = this.#stored.segments.get(number);
    if (bytes === undefined) {
      throw new ContentMissingError(`the journal ${JSON.stringify(this.#name)} has no segment ${number}`, {
        name: this.#name,
        number,
      });
    }
    return bytes.slice();
  }

  async append(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    const number = this.#stored.next;
    this.#stored.next += 1;
    this.#stored.segments.set(number, bytes.slice());
    return number;
  }

  async remove(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) this.#stored.segments.delete(number);
  }

  async close(): Promise<void> {
    this.#stored.isOpen = false;
  }
}
