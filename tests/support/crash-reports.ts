/** What a page told before it was killed: which operations it began, and which of them were acknowledged. */

import type { Page } from 'playwright';

declare global {
  interface Window {
    /** `begin NAME SUBJECT`, `acked NAME SUBJECT` or `failed WHY`. Resolves when it was heard. */
    tellKiller(text: string): Promise<void>;
  }
}

export interface Operation {
  readonly name: string;
  /** What it was done to. */
  readonly subject: string;
  /** When the acknowledgement was heard, as Date.now has it; undefined: in flight. */
  readonly ackedAt: number | undefined;
}

export class CrashReports {
  readonly #operations = new Map<string, { name: string; subject: string; ackedAt: number | undefined }>();
  readonly #waiting = new Set<{
    readonly name: string | undefined;
    readonly resolve: () => void;
    readonly reject: (failure: Error) => void;
  }>();
  #failure: Error | undefined;

  /** Gives the page its `tellKiller`. */
  static async of(page: Page): Promise<CrashReports> {
    const reports = new CrashReports();
    await page.exposeFunction('tellKiller', (text: string) => reports.#take(text));
    return reports;
  }

  /** Resolves when an operation begins, one of that name where there is one; rejects when the page says that its work failed. */
  begins(name?: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure === undefined) this.#waiting.add({ name, resolve, reject });
      else reject(this.#failure);
    });
  }

  /** In the order in which they began. Throws when the page said that its work failed. */
  get operations(): readonly Operation[] {
    if (this.#failure !== undefined) throw this.#failure;
    return [...this.#operations.values()].map((operation) => ({ ...operation }));
  }

  #take(text: string): void {
    const [step, name = '', subject = ''] = text.split(' ');
    const key = `${name} ${subject}`;
    if (step === 'begin') {
      // the same may be done to the same again: what counts is the last time, and its place is the end
      this.#operations.delete(key);
      this.#operations.set(key, { name, subject, ackedAt: undefined });
      for (const each of this.#waiting) {
        if (each.name !== undefined && each.name !== name) continue;
        this.#waiting.delete(each);
        each.resolve();
      }
    } else if (step === 'acked') {
      const operation = this.#operations.get(key);
      if (operation !== undefined) operation.ackedAt = Date.now();
    } else {
      this.#failure = new Error(text);
      for (const { reject } of this.#waiting) reject(this.#failure);
      this.#waiting.clear();
    }
  }
}
