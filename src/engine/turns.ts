/** Work on one thing at a time, in the order it was asked for; different things do not wait for each other. */

export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does the work once all that was asked for this key before has settled; resolves and rejects as it does. */
  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const settled = turn.catch(() => undefined); // who asked has the error; who comes next only waits
    this.#last.set(key, settled);
    void settled.then(() => {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    });
    return turn;
  }
}
