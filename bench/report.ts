/** The table that `npm run bench` prints, and bench/results.json. */

import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { run } from '../tests/support/run.ts';

export interface Row {
  readonly name: string;
  readonly here: number;
  readonly unit: string;
  /** What it is measured against, in words, and its figure in the same unit. */
  readonly against?: string;
  readonly there?: number;
  /** How many times faster or smaller we are. */
  readonly ratio?: number;
  /** The ratio that must be reached; the run fails below it. */
  readonly atLeast?: number;
}

/** A row with its ratio computed: `there / here`, as less is better in every unit used. */
export function compared(row: Omit<Row, 'ratio'> & { readonly there: number }): Row {
  return { ...row, ratio: row.there / row.here };
}

const figure = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2));

/** Prints the rows and, when they are all there are, writes results.json; returns those that missed what they must reach. */
export async function report(
  rows: readonly Row[],
  { isWhole }: { readonly isWhole: boolean },
): Promise<readonly Row[]> {
  const cells = rows.map((row) => [
    row.name,
    `${figure(row.here)} ${row.unit}`,
    row.against ?? '',
    row.there === undefined ? '' : `${figure(row.there)} ${row.unit}`,
    row.ratio === undefined ? '' : `${figure(row.ratio)}x`,
    row.atLeast === undefined
      ? ''
      : `${row.ratio !== undefined && row.ratio >= row.atLeast ? 'ok' : 'MISSED'}, at least ${row.atLeast}`,
  ]);
  const head = ['what', 'here', 'against', 'there', 'ratio', 'gate'];
  const widths = head.map((title, i) =>
    Math.max(title.length, ...cells.map((cell) => (cell[i] ?? '').length)),
  );
  for (const line of [head, ...cells]) {
    console.log(
      line
        .map((text, i) => text.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
  if (isWhole) await writeResults(rows);
  return rows.filter((row) => row.atLeast !== undefined && (row.ratio ?? 0) < row.atLeast);
}

async function writeResults(rows: readonly Row[]): Promise<void> {
  const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}`;
  await writeFile(
    join(import.meta.dirname, 'results.json'),
    `${JSON.stringify({ machine, date: new Date().toISOString(), rows }, null, 2)}\n`,
  );
}

/** The median of several runs of one measurement. */
export async function median(runs: number, measure: () => Promise<number>): Promise<number> {
  const figures: number[] = [];
  for (let i = 0; i < runs; i++) figures.push(await measure());
  figures.sort((a, b) => a - b);
  return figures[runs >> 1] ?? Number.NaN;
}

/**
 * The median of each of several measurements, which are taken in turn. Before each of them what the others have written
 * goes to the disk, so that nobody pays for it.
 */
export async function medians(
  runs: number,
  measures: readonly (() => Promise<number>)[],
): Promise<readonly number[]> {
  const figures: number[][] = measures.map(() => []);
  for (let turn = 0; turn < runs; turn++) {
    for (const [at, measure] of measures.entries()) {
      await run('sync', []);
      figures[at]?.push(await measure());
    }
  }
  return figures.map((times) => times.toSorted((a, b) => a - b)[runs >> 1] ?? Number.NaN);
}

/** Milliseconds that an asynchronous piece of work took. */
export async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
