/** Debian's `dig` (bind9-dnsutils): what it was answered, and the program itself for i386. */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makePackageTar } from './debian-root.ts';
import { run } from './run.ts';

export interface Dug {
  /** `NOERROR`, `NXDOMAIN`. */
  readonly status: string;
  /** `qr rd ra`. */
  readonly flags: string;
  /** The answer section, a space between the fields: `web. 600 IN A 172.18.0.2`. */
  readonly answers: readonly string[];
  /** What dig has against the answer, and what it had to do over: lines that begin with `;;` and are none of its usual ones. */
  readonly complaints: readonly string[];
  /** `UDP` or `TCP`. */
  readonly over: string;
}

const USUAL =
  /^;; (?:global options:|Got answer:|->>HEADER<<-|flags:|(?:QUESTION|ANSWER|OPT PSEUDO|AUTHORITY|ADDITIONAL)\s?SECTION:|Query time:|SERVER:|WHEN:|MSG SIZE)/;

/** What dig printed for each query of one command line that had an answer. */
export const readAllDug = (output: string): readonly Dug[] =>
  output
    .split(/^(?=;; Got answer:)/m)
    .slice(1)
    .map(readDug);

/** What one query of dig printed. */
export function readDug(output: string): Dug {
  const lines = output.split('\n').map((line) => line.trim());
  const start = lines.indexOf(';; ANSWER SECTION:') + 1;
  const end = start === 0 ? 0 : lines.indexOf('', start);
  return {
    status: /status: (\w+)/.exec(output)?.[1] ?? '',
    flags: /^;; flags: ([a-z ]*);/m.exec(output)?.[1] ?? '',
    answers: lines.slice(start, end).map((line) => line.split(/\s+/).join(' ')),
    complaints: lines.filter((line) => line.startsWith(';;') && !USUAL.test(line)),
    over: /^;; SERVER: .*\((UDP|TCP)\)$/m.exec(output)?.[1] ?? '',
  };
}

/** What dig cannot do without, of its packages and those that they need. */
const NEEDED = ['lib', 'usr/bin/dig', 'usr/lib/i386-linux-gnu', 'etc'];

/** A tar with dig for i386, to be imported as an image; made when it is not there, which needs root. */
export async function makeDigTar(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of ['dig.ts', 'debian-root.ts']) {
    hash.update(await readFile(join(import.meta.dirname, source)));
  }
  const folder = join(import.meta.dirname, '../../.cache/fixtures');
  const tar = join(folder, `dig-${hash.digest('hex').slice(0, 12)}.tar`);
  if (existsSync(tar)) return tar;
  await mkdir(folder, { recursive: true });
  // called so, as mmdebstrap makes a folder of what is not
  const whole = `${tar}.whole.tar`;
  await makePackageTar(whole, ['bind9-dnsutils']);
  const wanted = NEEDED.flatMap((path) => ['--include', `./${path}`, '--include', `./${path}/*`]);
  await run('bsdtar', ['-cf', `${tar}.part`, ...wanted, `@${whole}`]);
  await rm(whole);
  await rename(`${tar}.part`, tar);
  return tar;
}
