/** What a row of the tables of parsers is. */

import { decodeName } from '../../src/engine/names.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

export interface FuzzedParser {
  /** Parses, uses what came of it, and returns how large that is, in bytes or entries. It may change its input. */
  readonly parse: (input: Bytes) => number | Promise<number>;
  /** How large it may be at most. Default: a megabyte and a thousand times the input. */
  readonly most?: (inputLength: number) => number;
  /** Makes whole what mutations break for certain (checksums), so that more is reached than the first check. */
  readonly mend?: (input: Bytes) => void;
  /** Words that mean something to it. */
  readonly words?: readonly string[];
  /** Refusals of its own that are no LayerboxError. */
  readonly refusals?: readonly (abstract new (
    ...args: never[]
  ) => Error)[];
  /** Inputs of a short run, for what takes its time. Default: a thousand. */
  readonly runs?: number;
  /** True: every input is good to it. */
  readonly takesAnything?: boolean;
}

export type FuzzedParsers = Readonly<Record<string, FuzzedParser>>;

export const text = (value: string): Bytes => new TextEncoder().encode(value);

/** A parser of text as one of bytes. */
export const inText = (parse: (value: string) => number) => (input: Bytes) => parse(decodeName(input));

/** Words of JSON, and of the documents in it. */
export const jsonWords = [
  'null',
  'true',
  '{}',
  '[]',
  '""',
  '-1',
  '1e400',
  '"\\ud800"',
  '__proto__',
  'manifests',
  'layers',
  'mediaType',
  'schemaVersion',
  ',',
  ':',
  '{',
  '[',
  `sha256:${'0123456789abcdef'.repeat(4)}`,
];
