/** Programs in a container that write, sync, rename and remove until the browser is killed. */

import type { Page } from 'playwright';
import type { Chromium } from './chromium.ts';
import type { Before, CrashWork } from './crash-works.ts';
import { dockerOk, openSandbox } from './sandbox-page.ts';
import { storedState } from './stored-state.ts';

export type GuestKind = 'write' | 'fsync' | 'rename' | 'remove';

/** Milliseconds after which what was written is durable, though nobody synced it. */
const DURABLE_WITHIN = 2000;

const lengthOf = (number: number) => ((number * 7919) % 200_000) + 1;

/** One turn each, of file `$n`; its content is the line `$n` over and over. */
const turns: Readonly<Record<GuestKind, string>> = {
  write: 'begin write $n; fill $n >w$n; acked write $n',
  fsync: 'begin fsync $n; fill $n | dd of=s$n bs=64k conv=fsync 2>&-; acked fsync $n',
  rename:
    'fill $n | dd of=next bs=64k conv=fsync 2>&-; begin rename $n; mv next current; sync; acked rename $n',
  remove: 'fill $n >r$n; sync; begin remove $n; rm r$n; sync; acked remove $n',
};

const script = (kind: GuestKind, from: number) => `
  begin() { echo "begin $*"; }
  acked() { echo "acked $*"; }
  fill() { yes "$1" | head -c $(($1 * 7919 % 200000 + 1)); }
  mkdir -p /crash; cd /crash; rm -f *; sync
  n=${from}
  while :; do ${turns[kind]}; n=$((n + 1)); done`;

interface GuestFile {
  readonly name: string;
  readonly size: number;
  /** The first line. */
  readonly line: string;
  /** Bytes that are neither what a repetition of that line has there nor zero, and bytes that are zero. */
  readonly strange: number;
  readonly zeros: number;
}

/** Of the kinds that work in one container, and so in one directory, the last is what is found there. */
export class GuestWork implements CrashWork {
  readonly span = 3000;
  readonly operations: readonly string[];
  readonly #site: string;
  readonly #kind: GuestKind;
  #next = 1;

  constructor(site: string, kind: GuestKind) {
    this.#site = site;
    this.#kind = kind;
    this.operations = [kind];
  }

  async open(chromium: Chromium, { operations, killedAt }: Before) {
    for (const { subject } of operations) this.#next = Math.max(this.#next, Number(subject) + 1);
    const page = await openSandbox(chromium, this.#site);
    const { wrong, orphans } = await storedState(page);
    const faults = [...wrong, ...orphans];
    const files = (await dockerOk(page, 'ps', '-aq')) === '' ? [] : await crashFiles(page);
    const found = new Map(files.map((file) => [file.name, file]));
    for (const { name, size, line, strange } of files) {
      // `next` and what was not synced may end early or have holes; nothing may have what was never written to it
      const number = /^[wsr](\d+)$/.exec(name)?.[1] ?? line;
      const isItsOwn = size === 0 || line === '' || line === number.slice(0, line.length);
      if (!isItsOwn || strange > 0 || size > lengthOf(Number(number))) {
        faults.push(`/crash/${name} holds what was never written there: ${JSON.stringify(found.get(name))}`);
      }
    }
    const mustBeWhole = (name: string, number: number) => {
      const file = found.get(name);
      if (file?.size !== lengthOf(number) || file.zeros > 0) {
        faults.push(`/crash/${name} is not whole: ${JSON.stringify(file)}`);
      }
    };
    for (const { name, subject, ackedAt } of operations) {
      if (ackedAt === undefined) continue;
      const number = Number(subject);
      if (name === 'fsync') mustBeWhole(`s${number}`, number);
      if (name === 'write' && killedAt - ackedAt > DURABLE_WITHIN) mustBeWhole(`w${number}`, number);
      if (name === 'remove' && found.has(`r${number}`)) faults.push(`/crash/r${number} is back`);
    }
    const renamed = operations
      .filter(({ name, ackedAt }) => name === 'rename' && ackedAt !== undefined)
      .at(-1);
    if (renamed !== undefined) {
      const acked = Number(renamed.subject);
      const current = Number(found.get('current')?.line);
      // later ones may have been heard of too late
      if (!(current >= acked)) {
        faults.push(`/crash/current should be of ${acked}: ${JSON.stringify(found.get('current'))}`);
      } else mustBeWhole('current', current);
    }
    return { page, faults };
  }

  async begin(page: Page) {
    const isThere = (await dockerOk(page, 'ps', '-aq', '--filter', 'name=box')) !== '';
    if (isThere) await dockerOk(page, 'start', 'box');
    else await dockerOk(page, 'run', '-d', '--name', 'box', 'busybox', 'sleep', '1000000');
    await page.evaluate(
      (text) => {
        const decoder = new TextDecoder();
        let rest = '';
        const told = (bytes: Uint8Array) => {
          const rows = `${rest}${decoder.decode(bytes, { stream: true })}`.split('\n');
          rest = rows.pop() ?? '';
          for (const row of rows) void window.tellKiller(row);
        };
        window.sandbox.docker(['exec', 'box', 'sh', '-c', text], { onStdout: told, onStderr: told }).then(
          ({ exitCode, stderr }) => window.tellKiller(`failed with ${exitCode}: ${stderr}`),
          (error) => window.tellKiller(`failed: ${error}`),
        );
      },
      script(this.#kind, this.#next),
    );
  }
}

const crashFiles = (page: Page): Promise<GuestFile[]> =>
  page.evaluate(async () => {
    const view = window.sandbox.files('box');
    const files: GuestFile[] = [];
    for await (const { path, type } of view.walk()) {
      if (type !== 'file' || !path.startsWith('/crash/')) continue;
      const bytes = await view.read(path);
      const text = new TextDecoder('latin1').decode(bytes);
      const line = /^[^\0\n]*/.exec(text)?.[0] ?? '';
      const period = line.length + 1;
      let strange = 0;
      let zeros = 0;
      for (let at = 0; at < bytes.length; at += 1) {
        if (bytes[at] === 0) zeros += 1;
        else if (line !== '' && text[at] !== (at % period < line.length ? line[at % period] : '\n'))
          strange += 1;
      }
      files.push({ name: path.slice('/crash/'.length), size: bytes.length, line, strange, zeros });
    }
    return files;
  });
