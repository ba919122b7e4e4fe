/** An engine over memory stores, the bundled images as files, and a fake machine. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Unpackers } from '../../../src/engine/archive/unpackers.ts';
import type { PipeIo } from '../../../src/engine/cli/pipe-stdio.ts';
import type { Machine } from '../../../src/engine/container/machine.ts';
import { type Engine, openEngine } from '../../../src/engine/engine.ts';
import { EventStream, type StampedEvent } from '../../../src/engine/events.ts';
import { InlineIngestor } from '../../../src/engine/image/inline-ingestor.ts';
import type { Fetch } from '../../../src/engine/registry/request.ts';
import type { Journal } from '../../../src/engine/store/journal.ts';
import { MemoryContentStore } from '../../../src/engine/store/memory-content.ts';
import { MemoryJournalStore } from '../../../src/engine/store/memory-journal.ts';
import { MemoryRecordStore } from '../../../src/engine/store/memory-records.ts';
import type { Change, RecordKind, RecordStore, Records } from '../../../src/engine/store/records.ts';
import { codecsModule } from '../archive/unpacking.ts';
import { FakeMachine, type ProgramCode } from './fake-machine.ts';

const REGISTRY = join(import.meta.dirname, '../../../public/registry');
const ORIGIN = 'http://layout.test/';

/** The bundled OCI layout, as a static host would serve it. */
async function fetchBundled(url: string): Promise<Response> {
  if (!url.startsWith(ORIGIN)) throw new TypeError('Failed to fetch');
  try {
    return new Response(new Uint8Array(await readFile(join(REGISTRY, url.slice(ORIGIN.length)))));
  } catch {
    return new Response('not found', { status: 404 });
  }
}

export interface Stores {
  readonly content: MemoryContentStore;
  readonly records: MemoryRecordStore;
  readonly journals: MemoryJournalStore;
}

/** A page between an engine and its stores: it can be killed, and answers nothing from then on. */
export class Page implements RecordStore {
  readonly stores: Stores;
  readonly #journals = new Set<Journal>();
  #killed = false;

  constructor(stores: Stores) {
    this.stores = stores;
  }

  async kill(): Promise<void> {
    this.#killed = true;
    for (const journal of this.#journals) await journal.close();
  }

  async openJournal(name: string): Promise<Journal> {
    const journal = await this.stores.journals.open(name);
    this.#journals.add(journal);
    return {
      get segments() {
        return journal.segments;
      },
      get next() {
        return journal.next;
      },
      read: (number) => this.#unlessKilled(() => journal.read(number)),
      append: (bytes) => this.#unlessKilled(() => journal.append(bytes)),
      remove: (numbers) => this.#unlessKilled(() => journal.remove(numbers)),
      close: () => {
        this.#journals.delete(journal);
        return this.#unlessKilled(() => journal.close());
      },
    };
  }

  get<K extends RecordKind>(kind: K, id: string): Promise<Records[K] | undefined> {
    return this.#unlessKilled(() => this.stores.records.get(kind, id));
  }

  list<K extends RecordKind>(kind: K, prefix?: string): Promise<readonly Records[K][]> {
    return this.#unlessKilled(() => this.stores.records.list(kind, prefix));
  }

  ids(kind: RecordKind, prefix?: string): Promise<readonly string[]> {
    return this.#unlessKilled(() => this.stores.records.ids(kind, prefix));
  }

  commit(changes: readonly Change[]): Promise<void> {
    return this.#unlessKilled(() => this.stores.records.commit(changes));
  }

  #unlessKilled<T>(work: () => Promise<T>): Promise<T> {
    return this.#killed ? new Promise(() => undefined) : work();
  }
}

export interface TestSandbox {
  readonly engine: Engine;
  readonly machine: FakeMachine;
  readonly stores: Stores;
  readonly page: Page;
  readonly events: StampedEvent[];
  readonly clock: { now: number };
  /** A docker command to its end. */
  docker(
    line: string | readonly string[],
    io?: Partial<PipeIo>,
  ): Promise<{ code: number; out: string; err: string }>;
  /** A line of the host's shell to its end: what it printed, errors too, and its exit code behind it. */
  sh(line: string): Promise<string>;
}

const unpackers = new Unpackers(async () => codecsModule);

export interface SandboxSetup {
  readonly programs?: Readonly<Record<string, ProgramCode>>;
  readonly stores?: Stores;
  readonly withoutMachine?: boolean;
  /** Where images come from, in place of the bundled ones. */
  readonly fetch?: Fetch;
  /** Told of failures where nobody waits; default: it is thrown. */
  readonly onFailure?: (error: unknown) => void;
  /** In place of the machine of functions. */
  readonly machine?: Machine;
}

export async function openSandbox(setup: SandboxSetup = {}): Promise<TestSandbox> {
  const stores = setup.stores ?? {
    content: new MemoryContentStore(),
    records: new MemoryRecordStore(),
    journals: new MemoryJournalStore(),
  };
  const fetch = setup.fetch ?? fetchBundled;
  const page = new Page(stores);
  const clock = { now: Date.UTC(2026, 0, 2, 3, 4, 5) };
  const now = () => clock.now;
  const events = new EventStream(now);
  const seen: StampedEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const machine = new FakeMachine(setup.programs ?? {});
  let seed = 0;
  const random = (length: number) =>
    Uint8Array.from({ length }, () => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return seed >> 16;
    });
  const engine = await openEngine({
    content: stores.content,
    records: page,
    journals: {
      open: (name) => page.openJournal(name),
      delete: (name) => stores.journals.delete(name),
      list: () => stores.journals.list(),
    },
    ingestor: new InlineIngestor({ fetch, content: stores.content, unpackers }),
    mirrors: setup.fetch === undefined ? { 'docker.io': `layout:${ORIGIN}` } : {},
    fetch,
    unpackers,
    ...(setup.withoutMachine !== true && { machine: setup.machine ?? machine }),
    events,
    now,
    random,
    description: { storage: 'memory', assets: 'a fake machine' },
    onFailure:
      setup.onFailure ??
      ((error) => {
        throw error;
      }),
  });
  return {
    engine,
    machine,
    stores,
    page,
    events: seen,
    clock,
    docker: async (line, io = {}) => {
      const text = { out: '', err: '' };
      const argv = typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line;
      const code = await engine.docker(argv, {
        input: undefined,
        signal: new AbortController().signal,
        ...io,
        write: async (stream, bytes) => {
          text[stream] += new TextDecoder().decode(bytes);
          await io.write?.(stream, bytes);
        },
      });
      return { code, ...text };
    },
    sh: async (line) => {
      let text = '';
      const code = await engine.sh(line, {
        input: undefined,
        signal: new AbortController().signal,
        write: async (_, bytes) => {
          text += new TextDecoder().decode(bytes);
        },
      });
      return `${text}${code}`;
    },
  };
}

/** A sandbox with busybox pulled. */
export async function openWithBusybox(setup: SandboxSetup = {}): Promise<TestSandbox> {
  const sandbox = await openSandbox(setup);
  const { code, err } = await sandbox.docker('pull busybox');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return sandbox;
}

/** Text as an input of one piece. */
export async function* input(...pieces: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield new TextEncoder().encode(piece);
}

/** Waits until it is true; fails when it never is. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(isTrue, { message: what, timeout: 10_000, interval: 5 }).toBe(true);
}

/** The stores as the next page finds them when this one is killed: what was under way stays so for ever. */
export async function killPage({ page }: TestSandbox): Promise<Stores> {
  await page.kill();
  return page.stores;
}
