/**
 * An answer of an engine that may be busy. It is asked for anew each time, and what it said last is given when it does
 * not say more within a moment; never what was true before a command of the caller's own ended.
 */

/** Milliseconds that a new answer is waited for where an old one is known. */
export const PATIENCE = 25;

export interface AnswerOptions<T> {
  /** Asks the engine; `known` is its last answer, which it may confirm by returning it. */
  readonly ask: (known: T | undefined) => Promise<T>;
  /** Resolves after the patience. */
  readonly patience: () => Promise<void>;
  /** An old answer was given and the new one is another. */
  readonly onLate: () => void;
}

export class KeptAnswer<T> {
  readonly #options: AnswerOptions<T>;
  #known: { readonly value: T; readonly turn: number } | undefined;
  #asking: Promise<T> | undefined;
  /** Asks once more when the engine has answered: what is asked now may be about what happened since. */
  #next: { readonly answer: Promise<T>; turn: number } | undefined;
  #givenOld: { readonly value: T } | undefined;

  constructor(options: AnswerOptions<T>) {
    this.#options = options;
  }

  /** `turn` grows whenever a command of the caller ended. Rejects as `ask` does. */
  async get(turn: number): Promise<T> {
    const known = this.#known;
    const answer = this.#ask(turn);
    if (known === undefined || known.turn < turn) return answer;
    const first = await Promise.race([
      answer.then((value) => ({ value })),
      this.#options.patience().then(() => undefined),
    ]);
    if (first !== undefined) return first.value;
    this.#givenOld ??= { value: known.value };
    return known.value;
  }

  #ask(turn: number): Promise<T> {
    if (this.#asking === undefined) {
      const asking = this.#askNow(turn);
      this.#asking = asking;
      return asking;
    }
    if (this.#next === undefined) {
      const waiting = this.#asking.then(
        () => undefined,
        () => undefined,
      );
      const next = {
        turn,
        answer: waiting.then(() => {
          this.#next = undefined;
          const asking = this.#askNow(next.turn);
          this.#asking = asking;
          return asking;
        }),
      };
      this.#next = next;
      // whoever was given an old answer waits for none
      next.answer.catch(() => undefined);
    }
    this.#next.turn = Math.max(this.#next.turn, turn);
    return this.#next.answer;
  }

  async #askNow(turn: number): Promise<T> {
    try {
      const value = await this.#options.ask(this.#known?.value);
      this.#known = { value, turn };
      this.#tellLate(value);
      return value;
    } catch (error) {
      // what it was about is gone: the old answer must not be given again
      this.#known = undefined;
      this.#tellLate(undefined);
      throw error;
    } finally {
      this.#asking = undefined;
    }
  }

  #tellLate(value: T | undefined): void {
    const old = this.#givenOld;
    this.#givenOld = undefined;
    if (old !== undefined && !isSame(old.value, value)) this.#options.onLate();
  }
}

/** Plain data; a bigint as its digits. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || textOf(a) === textOf(b);
}

function textOf(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
}
