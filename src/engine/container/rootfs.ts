/** The root filesystems of containers: opened once however many want one, closed when nobody does. */

import { StorageFailedError } from '../errors.ts';
import type { EventStream } from '../events.ts';
import { type StackIndex, stackLayers } from '../layer/stack.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { ContentReader } from '../store/content-reader.ts';
import type { JournalStore } from '../store/journal.ts';
import { type Lower, openUnion, type Union } from '../unionfs/union.ts';
import type { ImageStacks } from './image-stacks.ts';
import { initLayer } from './init-layer.ts';
import { RecentlyUsed } from './recently-used.ts';

export interface Rootfs {
  readonly union: Union;
  /** The caller has done with it. Once the last has, it is durable and closed. */
  release(): Promise<void>;
}

export interface RootfsPorts {
  readonly journals: JournalStore;
  readonly content: ContentReader;
  readonly stacks: ImageStacks;
  readonly events: EventStream;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of what was lost of an upper, for instance. */
  readonly onFailure: (error: unknown) => void;
}

/** What lies below a container's own layer: its image's layers, bottom first, and its init layer. */
interface Below {
  readonly lowers: readonly Lower[];
  readonly stack: StackIndex;
}

interface Opened {
  users: number;
  readonly union: Promise<Union>;
  closed?: Promise<void>;
}

/** Of as many containers it is kept: a list with sizes, `diff` and `start` open one again and again. */
const KEPT_BELOW = 6;

/** Milliseconds between two `change` events of one container: a program may write thousands of times a second. */
const CHANGE_INTERVAL_MS = 100;

/** The journal that holds a container's own layer. */
export function journalName(id: string): string {
  return `container/${id}`;
}

export class RootfsPool {
  readonly #ports: RootfsPorts;
  readonly #opened = new Map<string, Opened>();
  readonly #below = new RecentlyUsed<Below>(KEPT_BELOW);
  /** A journal has one opener at a time: who opens it again waits for who closes it. */
  readonly #closing = new Map<string, Promise<void>>();

  constructor(ports: RootfsPorts) {
    this.#ports = ports;
  }

  /** Rejects with what the stores throw, and CorruptLayerError. */
  async open(record: ContainerRecord): Promise<Rootfs> {
    const { id } = record;
    const opened = this.#opened.get(id) ?? { users: 0, union: this.#open(record) };
    this.#opened.set(id, opened);
    opened.users += 1;
    try {
      const union = await opened.union;
      let released = false;
      return {
        union,
        release: async () => {
          if (released) return;
          released = true;
          await this.#release(id, opened);
        },
      };
    } catch (error) {
      if (this.#opened.get(id) === opened) this.#opened.delete(id);
      throw error;
    }
  }

  /** Gives back the space of a container's own layer. Who still looks at it sees errors from now on. */
  async delete(id: string): Promise<void> {
    const opened = this.#opened.get(id);
    if (opened !== undefined) await this.#close(id, opened);
    await this.#closing.get(id);
    this.#below.delete(id);
    await this.#ports.journals.delete(journalName(id));
  }

  async #release(id: string, opened: Opened): Promise<void> {
    opened.users -= 1;
    if (opened.users === 0) await this.#close(id, opened);
  }

  #close(id: string, opened: Opened): Promise<void> {
    if (opened.closed !== undefined) return opened.closed;
    if (this.#opened.get(id) === opened) this.#opened.delete(id);
    const closed = opened.union.then((union) => union.close());
    opened.closed = closed;
    const settled = closed
      .catch(() => undefined) // who closes has the error; who opens next only waits
      .then(() => {
        if (this.#closing.get(id) === settled) this.#closing.delete(id);
      });
    this.#closing.set(id, settled);
    return closed;
  }

  async #open(record: ContainerRecord): Promise<Union> {
    await this.#closing.get(record.id);
    const { journals, events, now, onFailure } = this.#ports;
    const container = record.id;
    const { lowers, stack } = await this.#below.get(container, () => this.#stackBelow(record));
    const union = await openUnion({
      lowers,
      stack,
      journal: await journals.open(journalName(container)),
      now: () => BigInt(Math.trunc(now())) * 1_000_000n,
      onCopyUp: ({ path, diffID }) => events.emit({ type: 'copy-up', container, path, from: diffID ?? '' }),
      onChange: spaced(CHANGE_INTERVAL_MS, () => events.emit({ type: 'change', container })),
    });
    if (union.damage !== undefined) {
      onFailure(
        new StorageFailedError(`of the files of container ${container}: ${union.damage}`, { container }),
      );
    }
    return union;
  }

  async #stackBelow(record: ContainerRecord): Promise<Below> {
    const { content, stacks } = this.#ports;
    const image = await stacks.stack(record.layers);
    const init = await initLayer(record, image);
    const layers = image.layers.map((index) => ({
      index,
      read: (offset: number, length: number) => content.read(index.diffID, offset, length),
    }));
    const top = {
      index: init.index,
      read: (offset: number, length: number) => init.content.subarray(offset, offset + length),
    };
    return { lowers: [...layers, top], stack: stackLayers([...image.layers, init.index]) };
  }
}

/** Calls `work` once for all calls within the interval, at its end. */
function spaced(milliseconds: number, work: () => void): () => void {
  let waits = false;
  return () => {
    if (waits) return;
    waits = true;
    setTimeout(() => {
      waits = false;
      work();
    }, milliseconds);
  };
}
