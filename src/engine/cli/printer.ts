/** Text to the two output streams of a command. */

import { encodeName } from '../names.ts';
import type { Stdio } from './stdio.ts';

export class Printer {
  readonly #stdio: Stdio;

  constructor(stdio: Stdio) {
    this.#stdio = stdio;
  }

  /** As it is, to standard output. */
  text(text: string): Promise<void> {
    return this.#stdio.write('out', encodeName(text));
  }

  line(text: string): Promise<void> {
    return this.text(`${text}\n`);
  }

  /** A line to standard error. */
  error(text: string): Promise<void> {
    return this.#stdio.write('err', encodeName(`${text}\n`));
  }
}
