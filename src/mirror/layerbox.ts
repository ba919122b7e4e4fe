#!/usr/bin/env node
/** The `layerbox` command of the package: what is done on the teacher's computer, before any page is open. */

import { readFile } from 'node:fs/promises';
import { printableText } from '../engine/cli/error-text.ts';
import { LayerboxError, UsageError } from '../engine/errors.ts';
import { mirrorCommand } from './mirror-command.ts';

const help = `Usage:  layerbox COMMAND

Commands:
  mirror      Copy images from registries into a folder that any static web server serves

Run 'layerbox COMMAND --help' for more information on a command.
`;

/** As Docker's client ends when its words are wrong. */
const WRONG_WORDS = 125;

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...words] = argv;
  if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
    process.stdout.write(help);
    return command === undefined ? 1 : 0;
  }
  if (command === '--version' || command === '-v') {
    process.stdout.write(`${await packageVersion()}\n`);
    return 0;
  }
  if (command !== 'mirror') throw new UsageError(`unknown command: layerbox ${command}`);
  const interrupted = new AbortController();
  // the first asks, the second ends
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  return mirrorCommand(words, {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    fetch: (url, init) => fetch(url, init),
    now: Date.now,
    signal: interrupted.signal,
  });
}

/** From the package.json two folders up in the source, three in the built library. */
async function packageVersion(): Promise<string> {
  for (const above of ['../../package.json', '../../../package.json']) {
    const text = await readFile(new URL(above, import.meta.url), 'utf8').catch(() => undefined);
    const version: unknown = text === undefined ? undefined : JSON.parse(text).version;
    if (typeof version === 'string') return version;
  }
  return 'unknown';
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof LayerboxError)) throw error;
  process.stderr.write(`layerbox: ${printableText(error.message)}\n`);
  if (error instanceof UsageError) process.stderr.write("See 'layerbox mirror --help'.\n");
  process.exitCode = error instanceof UsageError ? WRONG_WORDS : 1;
}
