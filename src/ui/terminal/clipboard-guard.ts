/**
 * What a program in the terminal may put on the reader's clipboard (OSC 52): a
 * program of a hostile image could plant a command there for the next paste. So
 * only shortly after a key that the reader pressed in this terminal (an editor's
 * yank), only text, and only so much. Nothing is ever read from the clipboard.
 */

import type { ClipboardSelectionType, IClipboardProvider } from '@xterm/addon-clipboard';

const longest = 100_000;
const afterKey = 1000;

/** `sinceKey`: milliseconds since the reader's last key in this terminal. */
export function mayCopy(text: string, sinceKey: number): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const isText = !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text) && text.isWellFormed();
  return isText && text.length > 0 && text.length <= longest && sinceKey >= 0 && sinceKey <= afterKey;
}

/** For xterm.js's clipboard add-on. */
export class GuardedClipboard implements IClipboardProvider {
  readonly #sinceKey: () => number;

  constructor(sinceKey: () => number) {
    this.#sinceKey = sinceKey;
  }

  readText(): string {
    return '';
  }

  async writeText(_selection: ClipboardSelectionType, text: string): Promise<void> {
    if (mayCopy(text, this.#sinceKey())) await navigator.clipboard.writeText(text);
  }
}
