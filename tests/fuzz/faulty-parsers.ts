/** Parsers that fail as parsers do, to see that the fuzzer notices. */

import type { FuzzedParsers } from './fuzzed-parser.ts';

const keptForGood: Uint8Array[] = [];

export const faultyParsers: FuzzedParsers = {
  'what never returns': {
    parse: (input) => {
      while (input.length >= 0) input.fill(0);
      return 0;
    },
  },
  'what waits for nothing': { parse: () => new Promise<number>(() => undefined) },
  'what hoards': {
    parse: () => {
      const hoard: number[][] = [];
      for (;;) hoard.push(new Array<number>(1_000_000).fill(hoard.length + 0.5));
    },
  },
  'what hoards buffers': {
    parse: () => {
      const hoard: Uint8Array[] = [];
      for (;;) hoard.push(new Uint8Array(1 << 20).fill(hoard.length + 1));
    },
  },
  'what believes a length': { parse: () => new Uint8Array(350_000_000).length / 1e6 },
  'what lets its WebAssembly grow': {
    parse: () => {
      const memory = new WebAssembly.Memory({ initial: 1 });
      memory.grow(5000);
      return memory.buffer.byteLength / 1e6;
    },
  },
  'what keeps a little of each input': {
    parse: () => keptForGood.push(new Uint8Array(200_000)),
  },
  'what crashes': {
    parse: () => {
      throw new TypeError('x is undefined');
    },
  },
};
