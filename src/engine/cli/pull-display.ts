/** What a pull, a push or a load shows: live lines on a terminal, one redrawn per layer; in a pipe one line per step. */

import { encodeName } from '../names.ts';
import { ellipsis, formatSize } from './format.ts';
import type { Stdio } from './stdio.ts';

/** How far one layer is. */
export interface LayerProgress {
  readonly type: 'layer';
  readonly id: string;
  readonly status: string;
  /** Bytes so far, and in all. */
  readonly current: number;
  readonly total: number;
}

/** Milliseconds between two drawings of a bar; steps are drawn at once. */
const INTERVAL_MS = 80;
/** A bar is 50 cells, and shown when that leaves room for the rest, as Docker has it. */
const BAR_WIDTH = 50;
const COLUMNS_FOR_BAR = 110;

const BARS: ReadonlySet<string> = new Set(['Downloading', 'Extracting', 'Pushing', 'Loading layer']);

export class PullDisplay {
  readonly #stdio: Stdio;
  readonly #stream: 'out' | 'err';
  readonly #live: boolean;
  readonly #now: () => number;
  /** The layers in the order of their lines. */
  readonly #layers = new Map<string, LayerProgress>();
  readonly #drawn = new Map<string, string>();
  #lastBar = Number.NEGATIVE_INFINITY;
  #written: Promise<void> = Promise.resolve();

  /** Docker's `run` shows its pull on standard error, `pull` on standard output. */
  constructor(stdio: Stdio, stream: 'out' | 'err', now: () => number) {
    this.#stdio = stdio;
    this.#stream = stream;
    this.#live = stream === 'out' ? stdio.terminal.stdout : stdio.terminal.stderr;
    this.#now = now;
  }

  /** A line of its own, after all that was shown before. */
  line(text: string): void {
    this.#write(`${text}\n`);
  }

  /** Takes one step. */
  show(progress: LayerProgress | { readonly type: 'resolved' }): void {
    if (progress.type !== 'layer') return;
    const before = this.#layers.get(progress.id);
    this.#layers.set(progress.id, progress);
    const isStep = before?.status !== progress.status;
    if (!this.#live) {
      // bars are for those who watch
      if (isStep && !BARS.has(progress.status)) this.#write(`${progress.id}: ${progress.status}\n`);
      return;
    }
    const now = this.#now();
    if (!isStep && now - this.#lastBar < INTERVAL_MS) return;
    if (!isStep) this.#lastBar = now;
    this.#draw();
  }

  /** Resolves when all is written; the last state of each layer is on its line. */
  async finish(): Promise<void> {
    if (this.#live) this.#draw();
    await this.#written;
  }

  /** Draws the lines that changed; the cursor is on the line below the last before and after. */
  #draw(): void {
    const ids = [...this.#layers.keys()];
    const columns = this.#stdio.size().columns;
    let text = '';
    for (const [index, layer] of [...this.#layers.values()].entries()) {
      const line = ellipsis(
        `${layer.id}: ${layer.status}${bar(layer, columns)}`.trimEnd(),
        Math.max(1, columns - 1),
      );
      const known = this.#drawn.get(layer.id);
      if (known === line) continue;
      this.#drawn.set(layer.id, line);
      if (known === undefined) {
        text += `${line}\r\n`;
        continue;
      }
      // only lines that are drawn already count: a new one is always the last
      const up = [...this.#drawn.keys()].length - index;
      text += `\x1b[${up}A\x1b[2K\r${line}\r\x1b[${up}B`;
    }
    if (text !== '' && ids.length > 0) this.#write(text);
  }

  #write(text: string): void {
    const write = () => this.#stdio.write(this.#stream, encodeName(text));
    // a reader that is gone aborts the pull by its own signal
    this.#written = this.#written.then(write).catch(() => undefined);
  }
}

/** ` [=====>    ]  1.2MB/2.2MB`, of a layer that is on its way. */
function bar({ status, current, total }: LayerProgress, columns: number): string {
  if (!BARS.has(status) || total <= 0 || current <= 0) return '';
  const numbers = `${formatSize(current, 4).padStart(8)}/${formatSize(total, 4)}`;
  if (columns <= COLUMNS_FOR_BAR) return ` ${numbers}`;
  const cells = Math.min(BAR_WIDTH, Math.trunc((current / total) * BAR_WIDTH));
  return ` [${'='.repeat(cells)}>${' '.repeat(BAR_WIDTH - cells)}] ${numbers}`;
}
