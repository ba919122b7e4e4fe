/**
 * The inputs that are kept, a folder for each parser: good ones of real tools and of the project's own writers
 * (make-seeds.ts), bad ones (`refused-...`), and what once went wrong (`found-...`).
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bytes } from './fuzzed-parser.ts';

export const seedsFolder = join(import.meta.dirname, 'seeds');

export interface KeptSeed {
  readonly file: string;
  readonly bytes: Bytes;
  /** What the parser makes of it; undefined: either will do. */
  readonly outcome: 'parsed' | 'refused' | undefined;
}

/** Where the inputs of a parser are. */
export function seedFolder(name: string, root = seedsFolder): string {
  return join(root, name.replaceAll(' ', '-'));
}

/** Those of one parser, by name; none where it has no folder. */
export function keptSeeds(name: string, root = seedsFolder): readonly KeptSeed[] {
  const folder = seedFolder(name, root);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((file) => ({
      file,
      bytes: new Uint8Array(readFileSync(join(folder, file))),
      outcome: outcomeOf(file),
    }));
}

function outcomeOf(file: string): KeptSeed['outcome'] {
  if (file.startsWith('found-')) return undefined;
  return file.startsWith('refused-') ? 'refused' : 'parsed';
}
