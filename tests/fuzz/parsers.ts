/**
 * Every parser of what a registry, a static host or a container may send, a row each: add a row and a folder of
 * seeds, and it is fuzzed. An input is either parsed or refused with a LayerboxError.
 */

import { archiveParsers } from './archive-parsers.ts';
import { documentParsers } from './document-parsers.ts';
import type { FuzzedParser, FuzzedParsers } from './fuzzed-parser.ts';
import { lazyParsers } from './lazy-parsers.ts';
import { localParsers } from './local-parsers.ts';
import { registryParsers } from './registry-parsers.ts';

const table: FuzzedParsers = {
  ...archiveParsers,
  ...documentParsers,
  ...registryParsers,
  ...lazyParsers,
  ...localParsers,
};

/** The names of all rows. */
export const parserNames: readonly string[] = Object.keys(table);

/** The row of that name. */
export function parserOf(name: string): FuzzedParser {
  const parser = table[name];
  if (parser !== undefined) return parser;
  throw new Error(`there is no parser ${JSON.stringify(name)}, only ${parserNames.join(', ')}`);
}
