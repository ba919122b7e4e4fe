/** Keeps an input that shows a bug, and says how to go on. */

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes the input into .cache/fuzz; returns what to print. */
export function keepInput(
  name: string,
  failure: { readonly reason: string; readonly input: Uint8Array },
): string {
  const folder = join(import.meta.dirname, '../../.cache/fuzz');
  const parser = name.replaceAll(' ', '-');
  const file = join(
    folder,
    `${parser}-${createHash('sha256').update(failure.input).digest('hex').slice(0, 12)}`,
  );
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, failure.input);
  return (
    `the parser of ${name}: ${failure.reason}\n` +
    `The input of ${failure.input.length} bytes is in ${file}; once the bug is fixed, keep it in tests/fuzz/seeds/${parser}.`
  );
}
