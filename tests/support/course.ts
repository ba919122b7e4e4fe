/**
 * A course's sessions, typed line by line into the terminal of the page. The host's prompt is set to count the commands
 * and to tell the last one's exit status, so that each line has an end to wait for and a status to check.
 */

import type { Page } from 'playwright';
import { screen, sh } from './sandbox-page.ts';

/** One line as it is typed (a here-document has line breaks in it), and what has to come of it. */
export interface Line {
  readonly type: string;
  /** What the screen must show below the line, and above the next prompt. Without it, whatever it likes. */
  readonly shows?: RegExp;
  /** The exit status that the host's shell has then. Default 0. */
  readonly status?: number;
  /** The prompt of a program in the terminal that the line starts, or stays in; the host's shell without it. */
  readonly prompt?: string;
  /** A key to press when the screen shows it, such as Control+C for what goes on for ever. */
  readonly press?: string;
}

export interface Session {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** A line of a session's table: what is typed, what the screen must show, the exit status. */
export const line = (type: string, shows?: RegExp, status?: number): Line => ({
  type,
  ...(shows === undefined ? {} : { shows }),
  ...(status === undefined ? {} : { status }),
});

/** A line that leaves the terminal to a program with this prompt. */
export const within = (prompt: string, type: string, shows?: RegExp): Line => ({
  ...line(type, shows),
  prompt,
});

interface Shown {
  readonly rows: readonly string[];
  readonly code: number | undefined;
}

const bare = (text: string) => text.replace(/\s/g, '');

/** The rows below what was typed: a long line is on several, and a here-document's have a `>` before them. */
function below(rows: readonly string[], prompt: string, typed: string): readonly string[] | undefined {
  const wanted = bare(prompt + typed.replaceAll('\n', '\n> '));
  for (let first = rows.length - 1; first >= 0; first -= 1) {
    let shown = '';
    for (let row = first; row < rows.length && shown.length < wanted.length; row += 1) {
      const text = rows[row] ?? '';
      // before the prompt may be what a program left without an end of line
      shown += bare(row === first ? text.slice(Math.max(0, text.indexOf(prompt))) : text);
      if (shown === wanted) return rows.slice(row + 1);
      if (!wanted.startsWith(shown)) break;
    }
  }
  return undefined;
}

/** A person at the page's terminal, who types fast and waits for the prompt. */
export class Course {
  readonly #page: Page;
  /** The prompt that the terminal shows now. */
  #prompt = '';
  /** The number of the host's last one. */
  #number = -1;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Takes the terminal, at the host's own prompt. */
  async begin(): Promise<void> {
    await this.#enter("PS1='\\# [$?] \\$ '; clear");
    await this.#until((rows) => (rows.length === 1 ? this.#atHost(rows) : undefined));
  }

  /** Types the line and waits for its end. Throws, with the screen, when that is not what the table says. */
  async line({ type, shows: wanted, status = 0, prompt, press }: Line): Promise<void> {
    const before = this.#prompt;
    const output = (rows: readonly string[]) => below(rows, before, type);
    await this.#enter(type);
    if (press !== undefined) {
      await this.#until((rows) => (wanted ?? /^/).test((output(rows) ?? []).join('\n')) || undefined);
      await this.#page.keyboard.press(press);
    }
    const { rows, code } = await this.#until((shown) =>
      prompt === undefined ? this.#atHost(shown) : this.#atProgram(shown, prompt, output(shown)),
    );
    const said = (output(rows) ?? rows).join('\n').trimEnd();
    if (wanted !== undefined && !wanted.test(said))
      throw new Error(`${type}\nnever showed ${wanted}:\n${said}`);
    if (code !== undefined && code !== status)
      throw new Error(`${type}\nended with ${code}, not ${status}:\n${said}`);
  }

  /** Ends and removes what a session that failed has left, and is at the host's prompt again. */
  async recover(): Promise<void> {
    await sh(
      this.#page,
      'docker ps -aq | xargs -r docker rm -fv; docker system prune -af --volumes; rm -rf ~/*',
    );
    await sh(this.#page, 'docker volume ls -q | xargs -r docker volume rm; docker pull -q busybox');
    await this.#page.keyboard.press('Control+C');
    await this.begin();
  }

  async #enter(text: string): Promise<void> {
    for (const part of text.split('\n')) {
      await this.#page.keyboard.insertText(part);
      await this.#page.keyboard.press('Enter');
    }
  }

  async #until<Found>(look: (rows: readonly string[]) => Found | undefined): Promise<Found> {
    for (const until = Date.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
      const rows = (await screen(this.#page)).split('\n');
      const found = look(rows);
      if (found !== undefined) return found;
      if (Date.now() > until) throw new Error(`the terminal stays at:\n${rows.join('\n')}`);
    }
  }

  /** At a prompt of the host that is newer than the last: the rows before it, and the status that it tells. */
  #atHost(rows: readonly string[]): Shown | undefined {
    const found = /(?:^|\s)((\d+) \[(\d+)\] [$#])$/.exec(rows.at(-1) ?? '');
    if (found === null || Number(found[2]) <= this.#number) return undefined;
    this.#number = Number(found[2]);
    this.#prompt = found[1] ?? '';
    return { rows: rows.slice(0, -1), code: Number(found[3]) };
  }

  /** At a program's prompt below what was typed. */
  #atProgram(
    rows: readonly string[],
    prompt: string,
    output: readonly string[] | undefined,
  ): Shown | undefined {
    if (output?.at(-1) !== prompt) return undefined;
    this.#prompt = prompt;
    return { rows: rows.slice(0, -1), code: undefined };
  }
}
