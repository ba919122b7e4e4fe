/** The key sequence that detaches a terminal from its container: `ctrl-p,ctrl-q` unless `--detach-keys` says otherwise. */

import { UsageError } from '../errors.ts';

/** The bytes of `ctrl-p,ctrl-q` or `ctrl-x,d`. UsageError naming the key. */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(text.split(','), (key) => {
    if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
    const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
    // Control characters are the letters with the bits above the fifth cleared (ASCII).
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
    throw new UsageError(
      `invalid detach keys: Unknown character: '${key}': write a character, or ctrl- and one of a-z@[\\]^_, with commas between`,
      { keys: text },
    );
  });
}

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/** Finds the sequence in what is typed. A beginning of it is held back until the next key tells. */
export class DetachKeys {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** The bytes to pass on, and whether the sequence was typed; what came after it is dropped. */
  pass(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly detached: boolean } {
    const passed: number[] = [];
    for (const byte of bytes) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1;
        if (this.#matched === this.#keys.length) {
          this.#matched = 0;
          return { bytes: Uint8Array.from(passed), detached: true };
        }
        continue;
      }
      passed.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) passed.push(byte);
      else if (this.#keys.length === 1) return { bytes: Uint8Array.from(passed), detached: true };
    }
    return { bytes: Uint8Array.from(passed), detached: false };
  }
}
