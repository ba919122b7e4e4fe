/** A machine with the real kernel in Node, for tests. */

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Output, Process, SpawnSpec } from '../../src/engine/container/machine.ts';
import { MemoryJournalStore } from '../../src/engine/store/memory-journal.ts';
import type { FileSystem } from '../../src/engine/unionfs/filesystem.ts';
import { openUnion } from '../../src/engine/unionfs/union.ts';
import type { MachineFiles } from '../../src/machine/assets.ts';
import { createMachine, type MachineOptions, type V86Machine } from '../../src/machine/v86-machine.ts';

const folder = fileURLToPath(new URL('../../public/machine/', import.meta.url));
const wasm = createRequire(import.meta.url).resolve('v86/build/v86.wasm');

/** The machine's files as they lie in the project. */
export const projectFiles: MachineFiles = async (name) => {
  const path = name === 'v86.wasm' ? wasm : join(folder, name);
  return existsSync(path) ? new Uint8Array(readFileSync(path)) : undefined;
};

/** An empty tree in memory. */
export async function emptyTree(): Promise<FileSystem> {
  const journal = await new MemoryJournalStore().open('test');
  return openUnion({ lowers: [], journal, now: () => BigInt(Date.now()) * 1_000_000n });
}

export function testMachine(options: Partial<MachineOptions> = {}): V86Machine {
  return createMachine({ files: projectFiles, ...options });
}

export const HOST_ENV = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'HOME=/root',
  'TERM=xterm',
] as const;

/** A spec for the host side: `argv`, or a line for the shell. */
export function hostSpec(command: string | readonly string[], changes: Partial<SpawnSpec> = {}): SpawnSpec {
  const argv = typeof command === 'string' ? ['sh', '-c', command] : command;
  return { argv, env: HOST_ENV, cwd: '/', uid: 0, gid: 0, ...changes };
}

export interface Finished {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs to the end, feeding `input`. */
export async function run(
  machine: V86Machine,
  spec: SpawnSpec,
  input: string | Uint8Array = '',
): Promise<Finished> {
  const process = await machine.spawn(spec);
  const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input;
  void process.write(bytes).then(() => process.closeInput());
  const parts: Record<Output['stream'], Uint8Array[]> = { out: [], err: [] };
  for await (const { stream, bytes } of process.output) parts[stream].push(bytes);
  const { code } = await process.exit;
  return { code, out: text(parts.out), err: text(parts.err) };
}

export function text(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString('utf8');
}

/** A process on a terminal, and what to wait for on its screen. */
export class Terminal {
  readonly process: Process;
  #seen = '';
  #end: string | undefined;
  #wake: () => void = () => undefined;

  constructor(process: Process) {
    this.process = process;
    this.#read().then(
      () => this.#finish('the program closed it'),
      (error: unknown) => this.#finish(String(error)),
    );
  }

  async #read(): Promise<void> {
    for await (const { bytes } of this.process.output) {
      this.#seen += Buffer.from(bytes).toString('latin1');
      this.#wake();
    }
  }

  #finish(reason: string): void {
    this.#end = reason;
    this.#wake();
  }

  type(text: string): Promise<void> {
    return this.process.write(new TextEncoder().encode(text));
  }

  /** What came up to and with the first match; it is not seen again. */
  async expect(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.#seen);
      if (match !== null) {
        const end = match.index + match[0].length;
        const seen = this.#seen.slice(0, end);
        this.#seen = this.#seen.slice(end);
        return seen;
      }
      if (this.#end !== undefined) {
        throw new Error(`No ${pattern} in ${JSON.stringify(this.#seen)}, and then ${this.#end}.`);
      }
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}
