/** The cases of tests/guest/cases, the program that does them, and how what it prints is read. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../support/run.ts';

export const folder = import.meta.dirname;

/**
 * Where what a case is about lies before it begins: made in the upper; in a lower; in a lower and copied up; in a lower,
 * removed and made again; in a lower, with all of it copied up into a second lower.
 */
export const PLACES = ['upper', 'lower', 'copied', 'remade', 'stacked'] as const;
export type Place = (typeof PLACES)[number];

export interface Case {
  /** Its number among all, as the runner counts. */
  readonly number: number;
  /** The system call, or the subject, that it is about. */
  readonly group: string;
  readonly title: string;
}

/** All cases in one text, as the runner takes them, and what they are. */
export function readCases(): { readonly text: string; readonly cases: readonly Case[] } {
  const cases: Case[] = [];
  let text = '';
  for (const file of readdirSync(join(folder, 'cases')).sort()) {
    const group = file.replace(/\.cases$/, '');
    for (const line of readFileSync(join(folder, 'cases', file), 'utf8').split('\n')) {
      if (line.startsWith('case ')) cases.push({ number: cases.length, group, title: line.slice(5) });
      text += `${line}\n`;
    }
  }
  return { text, cases };
}

/** Compiles the runner for i386: static, without a library, so that the same program runs here and in the machine. */
export async function compileRunner(output: string): Promise<void> {
  const multiarch = (await run('gcc', ['-print-multiarch'])).trim();
  await run('gcc', [
    ...['-m32', '-march=i686', '-std=gnu11', '-Os', '-Wall', '-Wextra', '-Werror', '-s'],
    ...['-ffreestanding', '-nostdlib', '-static', '-fno-pic', '-no-pie', '-fno-stack-protector'],
    ...['-fno-asynchronous-unwind-tables', '-fomit-frame-pointer', '-fno-tree-loop-distribute-patterns'],
    ...['-isystem', `/usr/include/${multiarch}`, '-o', output, join(folder, 'runner.c')],
  ]);
}

/** Of each case, by its number, the lines "operation -> what came of it". */
export type Transcript = readonly (readonly string[])[];

/** Throws when the runner did not get through all cases. */
export function parseTranscript(printed: string, cases: readonly Case[]): Transcript {
  const transcript: string[][] = [];
  for (const line of printed.split('\n')) {
    if (line.startsWith('case ')) {
      const known = cases[transcript.length];
      if (known?.title !== line.slice(5)) throw new Error(`"${line}" comes where "${known?.title}" should`);
      transcript.push([]);
    } else if (line !== '') transcript.at(-1)?.push(line);
  }
  if (transcript.length !== cases.length) {
    throw new Error(
      `${transcript.length} of ${cases.length} cases were done; the last lines are:\n${printed.slice(-400)}`,
    );
  }
  return transcript;
}

export interface Departure {
  readonly group: string;
  readonly title: string;
  readonly line: string;
  /** What came instead; undefined: nothing. */
  readonly got: string | undefined;
}

/** The lines of a transcript that are not as expected. */
export function departures(cases: readonly Case[], expected: Transcript, got: Transcript): Departure[] {
  const found: Departure[] = [];
  for (const { number, group, title } of cases) {
    expected[number]?.forEach((line, at) => {
      const instead = got[number]?.[at];
      if (instead !== line)
        found.push({ group, title, line, got: instead?.split(' -> ').slice(1).join(' -> ') });
    });
    for (const more of got[number]?.slice(expected[number]?.length) ?? []) {
      found.push({ group, title, line: '', got: more });
    }
  }
  return found;
}

/** What a real directory of Linux answered when it was asked last; see record.ts. */
export function readExpected(cases: readonly Case[]): Transcript {
  const printed = readdirSync(join(folder, 'expected'))
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .map((file) => readFileSync(join(folder, 'expected', file), 'utf8'))
    .join('');
  return parseTranscript(printed, cases);
}

export function writeExpected(cases: readonly Case[], transcript: Transcript): void {
  const to = join(folder, 'expected');
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to);
  for (const group of new Set(cases.map((one) => one.group))) {
    const lines = cases
      .filter((one) => one.group === group)
      .flatMap(({ title, number }) => [`case ${title}`, ...(transcript[number] ?? [])]);
    writeFileSync(join(to, `${group}.txt`), `${lines.join('\n')}\n`);
  }
}

/** The runner and the cases in a folder of this system, and what they come to here. Needs root. */
export class HostSuite {
  readonly root = mkdtempSync(join(tmpdir(), 'layerbox-suite-'));
  readonly runner = join(this.root, 'runner');
  readonly #cases = join(this.root, 'cases');
  readonly #known: readonly Case[];

  private constructor(cases: readonly Case[]) {
    this.#known = cases;
  }

  static async make(): Promise<HostSuite> {
    const { text, cases } = readCases();
    const suite = new HostSuite(cases);
    await compileRunner(suite.runner);
    writeFileSync(suite.#cases, text);
    return suite;
  }

  /** `setup`, `touch`, `remake` or `run` in a folder; what was printed. */
  do(what: string, where: string): Promise<string> {
    mkdirSync(where, { recursive: true });
    return run(this.runner, [what, this.#cases, where]);
  }

  /** On the plain filesystem of this system. */
  async plain(): Promise<Transcript> {
    const where = join(this.root, 'plain');
    await this.do('setup', where);
    return parseTranscript(await this.do('run', where), this.#known);
  }

  /** On overlayfs, in each place. Rejects where this system lets nobody mount one. */
  async overlay(): Promise<Record<Place, Transcript>> {
    const at = (name: string) => {
      const path = join(this.root, name);
      mkdirSync(path, { recursive: true });
      return path;
    };
    for (const place of PLACES) if (place !== 'upper') await this.do('setup', at(`lower/${place}`));
    const mount = async (lower: string, upper: string, on: string) => {
      const options = `index=on,lowerdir=${lower},upperdir=${at(upper)},workdir=${at(`${upper}-work`)}`;
      await run('mount', ['-t', 'overlay', 'overlay', '-o', options, at(on)]);
    };
    await mount(at('lower'), 'second', 'merged-first');
    try {
      await this.do('touch', join(this.root, 'merged-first/stacked'));
    } finally {
      await run('umount', [join(this.root, 'merged-first')]);
    }
    await mount(`${at('second')}:${at('lower')}`, 'top', 'merged');
    try {
      const merged = (place: Place) => join(this.root, 'merged', place);
      await this.do('setup', merged('upper'));
      await this.do('touch', merged('copied'));
      await this.do('remake', merged('remade'));
      const done: Partial<Record<Place, Transcript>> = {};
      for (const place of PLACES) {
        done[place] = parseTranscript(await this.do('run', merged(place)), this.#known);
      }
      const { upper = [], lower = [], copied = [], remade = [], stacked = [] } = done;
      return { upper, lower, copied, remade, stacked };
    } finally {
      await run('umount', [join(this.root, 'merged')]);
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
