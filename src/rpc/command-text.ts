/** The output of a command as text, kept while its bytes go by. */

/** UTF-16 units kept of one stream. What is longer is complete in the bytes alone. */
export const textLimit = 64 * 1024 * 1024;

/** Collects UTF-8 over chunk borders; what is no UTF-8 becomes U+FFFD. */
export class CommandText {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #limit: number;
  readonly #parts: string[] = [];
  #length = 0;

  constructor(limit: number = textLimit) {
    this.#limit = limit;
  }

  add(bytes: Uint8Array): void {
    if (this.#length >= this.#limit) return;
    this.#keep(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The whole text; nothing can be added after it. */
  end(): string {
    this.#keep(this.#decoder.decode());
    return this.#parts.join('');
  }

  #keep(text: string): void {
    const kept = text.slice(0, this.#limit - this.#length);
    this.#length += kept.length;
    if (kept !== '') this.#parts.push(kept);
  }
}
