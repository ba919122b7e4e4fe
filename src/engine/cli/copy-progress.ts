/** What `docker cp` shows on a terminal while it copies (docker/cli, cli/command/container/cp.go). */

import { formatSize } from './format.ts';

/** Milliseconds between two sizes that are shown. */
const INTERVAL = 75;
const SAVE_CURSOR = '\x1b[s';
const RESTORE_CURSOR = '\x1b[u';
const ERASE_LINE = '\x1b[2K';
const ERASE_TO_END = '\x1b[0K';
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';

export interface ProgressPorts {
  /** To the terminal, as it is. */
  write(text: string): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
}

/** One line, `Copying to container - 1.2kB`, that is gone in the end. */
export class CopyProgress {
  readonly #header: string;
  readonly #ports: ProgressPorts;
  #shown = 0;
  #shownAt = 0;

  constructor(direction: 'to' | 'from', ports: ProgressPorts) {
    this.#header = `Copying ${direction} container - `;
    this.#ports = ports;
  }

  async begin(): Promise<void> {
    this.#shownAt = this.#ports.now();
    await this.#ports.write(`${SAVE_CURSOR}Preparing to copy...`);
    await this.#ports.write(
      `${HIDE_CURSOR}${RESTORE_CURSOR}${ERASE_LINE}${this.#header}${formatSize(this.#shown)}`,
    );
  }

  /** So many bytes are copied altogether. They are shown if the last were shown long enough. */
  async update(bytes: number): Promise<void> {
    const now = this.#ports.now();
    if (bytes === this.#shown || now - this.#shownAt < INTERVAL) return;
    this.#shown = bytes;
    this.#shownAt = now;
    await this.#ports.write(`\x1b[${this.#header.length + 1}G${ERASE_TO_END}${formatSize(bytes)}`);
  }

  async end(): Promise<void> {
    await this.#ports.write(`${SHOW_CURSOR}${RESTORE_CURSOR}${ERASE_LINE}`);
  }
}
