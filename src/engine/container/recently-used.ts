/** What was made lately, kept so that it need not be made again; what was asked for longest ago goes first. */

export class RecentlyUsed<T> {
  readonly #limit: number;
  /** Least recently used first. */
  readonly #kept = new Map<string, Promise<T>>();

  /** `limit`: how many are kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What is kept under the key, or what `make` makes; those who ask meanwhile wait for the same. A failure is not kept. */
  get(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#kept.get(key);
    const value = known ?? make();
    this.#kept.delete(key);
    this.#kept.set(key, value);
    if (known !== undefined) return value;
    value.catch(() => {
      if (this.#kept.get(key) === value) this.#kept.delete(key);
    });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#limit && oldest !== undefined) this.#kept.delete(oldest);
    return value;
  }

  deleteWhere(isMeant: (key: string) => boolean): void {
    for (const key of [...this.#kept.keys()].filter(isMeant)) this.#kept.delete(key);
  }

  delete(key: string): void {
    this.#kept.delete(key);
  }
}
