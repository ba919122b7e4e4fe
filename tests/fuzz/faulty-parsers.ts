/** Parsers that fail as parsers do, to see that the fuzzer notices. */

import type { FuzzedParser } from './parsers.ts';

const seeds = [Uint8Array.of(1, 2, 3)];

export const faultyParsers: Readonly<Record<string, FuzzedParser>> = {
  'what never returns': {
    seeds,
    parse: (input) => {
      while (input.length >= 0) input.fill(0);
      return 0;
    },
  },
  'what hoards': {
    seeds,
    parse: () => {
      const hoard: number[][] = [];
      for (;;) hoard.push(new Array<number>(100_000).fill(hoard.length + 0.5));
    },
  },
  'what crashes': {
    seeds,
    parse: () => {
      throw new TypeError('x is undefined');
    },
  },
};
