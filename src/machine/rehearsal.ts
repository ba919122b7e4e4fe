/**
 * What the machine does once while nobody uses it: it walks a tree, starts programs and fills pipes, so that
 * the kernel's code for that is compiled before somebody waits for it. The kernel's code stays where it is, so what was
 * compiled serves whatever runs later. It costs two seconds of processor in pieces of a tenth of a second; the
 * first key, program or pull stops the piece under way, and the rest waits until it is quiet again.
 */

import type { Process, SpawnSpec } from '../engine/container/machine.ts';
import { buildLayerIndex, type NewEntry } from '../engine/layer/layer-index-builder.ts';
import { stackLayers } from '../engine/layer/stack.ts';
import { MemoryJournalStore } from '../engine/store/memory-journal.ts';
import type { FileSystem } from '../engine/unionfs/filesystem.ts';
import { openUnion } from '../engine/unionfs/union.ts';

/** How often it is looked whether the guest is at rest, and how long it has to be: twice in a row. */
const LOOK_MS = 250;
/** Between two pieces, so that whatever came in meanwhile is seen. */
const PAUSE_MS = 20;
/** A guest that has done more instructions than this since the last look is at work. */
const AT_REST = 1_000_000;

const SIGKILL = 9;

const FOLDERS = 8;
const DIRECTORIES = 40;
const NAMES = 10;

/**
 * The pieces: lines for the shell of the guest's host side, in the rehearsal's tree. `grep -r` looks up, lists, opens
 * and reads, each so often that the pages of the kernel's code for it are all compiled; `find` leaves a third of them.
 */
export const PIECES: readonly string[] = [
  ...Array.from({ length: FOLDERS }, (_, i) => `busybox grep -rc x f${i} | busybox wc -l`),
  ...Array.from({ length: 4 }, () => 'for i in 1 2 3 4 5; do /bin/busybox true | busybox cat; done'),
];

/** A tree of directories, files and symlinks, a union as those of containers are. */
export async function rehearsalTree(): Promise<FileSystem> {
  const entries: NewEntry[] = [];
  const common = { mode: 0o755, uid: 0, gid: 0, mtimeNs: 0n };
  for (let folder = 0; folder < FOLDERS; folder++) {
    entries.push({ ...common, type: 'dir', path: `f${folder}` });
    for (let directory = 0; directory < DIRECTORIES; directory++) {
      const path = `f${folder}/d${directory}`;
      entries.push({ ...common, type: 'dir', path });
      for (let name = 0; name < NAMES; name++) {
        entries.push(
          name % 5 === 0
            ? { ...common, type: 'symlink', path: `${path}/n${name}`, link: 'n1' }
            : { ...common, type: 'file', path: `${path}/n${name}`, size: 0, offset: 0 },
        );
      }
    }
  }
  const index = buildLayerIndex(`sha256:${'0'.repeat(64)}`, entries);
  return openUnion({
    lowers: [{ index, read: () => new Uint8Array(0) }],
    stack: stackLayers([index]),
    journal: await new MemoryJournalStore().open('rehearsal'),
    now: () => 0n,
  });
}

/** The program of a piece, in this folder of the guest's host side. */
export function pieceSpec(piece: string, cwd: string): SpawnSpec {
  return { argv: ['sh', '-c', piece], env: ['PATH=/bin:/sbin:/usr/bin:/usr/sbin'], cwd, uid: 0, gid: 0 };
}

/** Runs a piece to its end or until the signal; what it prints is of no interest. Rejects when it does not start. */
export async function performPiece(start: () => Promise<Process>, signal: AbortSignal): Promise<void> {
  const process = await start();
  const kill = () => process.signal(SIGKILL);
  if (signal.aborted) kill();
  signal.addEventListener('abort', kill);
  process.closeInput();
  for await (const _ of process.output);
  await process.exit;
  signal.removeEventListener('abort', kill);
}

export interface RehearsalOptions {
  readonly pieces: readonly string[];
  /** Instructions that the guest has done, modulo 2^32. */
  readonly instructions: () => number;
  /** Runs a piece to its end, or less of it once the signal is given. */
  readonly perform: (piece: string, signal: AbortSignal) => Promise<void>;
  /** Told once, when all pieces are done or one has failed, and not after `stop`. */
  readonly onEnd: (error?: unknown) => void;
}

export class Rehearsal {
  readonly #options: RehearsalOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #piece: AbortController | undefined;
  #next = 0;
  #quietLooks = 0;
  #wasTouched = true;
  #count = 0;
  #isOver = false;

  constructor(options: RehearsalOptions) {
    this.#options = options;
    this.#wait(LOOK_MS);
  }

  /** Somebody uses the machine: nothing more until it is at rest. */
  touch(): void {
    this.#wasTouched = true;
    this.#piece?.abort();
  }

  /** For good. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#piece?.abort();
  }

  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => void this.#look(), milliseconds);
  }

  async #look(): Promise<void> {
    const { pieces, instructions } = this.#options;
    const count = instructions();
    const isQuiet = !this.#wasTouched && (count - this.#count) >>> 0 < AT_REST;
    this.#wasTouched = false;
    this.#count = count;
    this.#quietLooks = isQuiet ? this.#quietLooks + 1 : 0;
    const piece = pieces[this.#next];
    if (piece === undefined) this.#end();
    else if (this.#quietLooks < 2) this.#wait(LOOK_MS);
    else await this.#perform(piece);
  }

  async #perform(piece: string): Promise<void> {
    const { perform, instructions } = this.#options;
    const controller = new AbortController();
    this.#piece = controller;
    try {
      await perform(piece, controller.signal);
    } catch (error) {
      // what is killed before it has started is said not to have started
      if (!controller.signal.aborted) {
        this.#end(error);
        return;
      }
    } finally {
      this.#piece = undefined;
    }
    if (this.#isOver) return;
    if (!controller.signal.aborted) this.#next += 1;
    this.#count = instructions();
    this.#wait(PAUSE_MS);
  }

  #end(error?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onEnd(error);
  }
}
