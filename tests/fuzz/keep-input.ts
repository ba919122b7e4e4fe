/** Keeps an input that shows a bug, and says how to go on. */

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seedFolder, seedsFolder } from './seeds.ts';

/** Writes the input beside the parser's seeds, so that every run from now on begins with it; returns what to print. */
export function keepInput(
  name: string,
  failure: { readonly reason: string; readonly input: Uint8Array },
  root = seedsFolder,
): string {
  const folder = seedFolder(name, root);
  const digest = createHash('sha256').update(failure.input).digest('hex');
  const file = join(folder, `found-${digest.slice(0, 12)}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, failure.input);
  return (
    `the parser of ${name}: ${failure.reason}\n` +
    `The input of ${failure.input.length} bytes is kept as ${file}: commit it with what mends the bug.`
  );
}
