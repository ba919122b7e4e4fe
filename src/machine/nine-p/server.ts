/**
 * A 9P2000.L server over the FileSystem port, one session: a message in, a
 * reply out, always exactly one, whatever came in. Most are answered at once;
 * a read whose content is in storage, an fsync, and a write that must wait for
 * room are answered later, in any order, as the tags allow.
 */

import { ERRNO, FsError } from '../../engine/unionfs/errno.ts';
import type { FileSystem } from '../../engine/unionfs/filesystem.ts';
import { attributes } from './attributes.ts';
import { directories } from './directories.ts';
import { ExportRoot } from './export-root.ts';
import { files } from './files.ts';
import { listing } from './listing.ts';
import {
  decodeRequest,
  encodeError,
  encodeReply,
  type MessageName,
  messageName,
  type ReplyOf,
  type RequestOf,
} from './messages.ts';
import { type Handlers, Session } from './session.ts';
import { walking } from './walking.ts';
import { HEADER_LENGTH } from './wire.ts';
import { xattrs } from './xattrs.ts';

const NO_TAG = 0xffff;
const EINTR = 4;

const handlers: Handlers<Exclude<MessageName, 'flush'>> = {
  ...walking,
  ...attributes,
  ...files,
  ...directories,
  ...xattrs,
  ...listing,
};

export type Reply = (message: Uint8Array<ArrayBuffer>) => void;

export interface NinePServerOptions {
  /** Told of what is no error of the filesystem but a defect of its implementation; the guest sees EIO. */
  readonly report: (error: unknown) => void;
  readonly fidLimit?: number;
}

/** A request that is not answered yet. */
interface Pending {
  readonly tag: number;
  readonly reply: Reply;
}

export class NinePServer {
  readonly #export = new ExportRoot();
  readonly #session: Session;
  readonly #report: (error: unknown) => void;
  readonly #pending = new Map<number, Pending>();
  readonly #requests: Record<string, number> = {};

  constructor(options: NinePServerOptions) {
    this.#session = new Session(this.#export, options.fidLimit);
    this.#report = options.report;
  }

  /** Makes a tree reachable at `path`. RangeError when the path is taken or is none. */
  mount(path: string, fs: FileSystem): void {
    this.#export.mount(path, fs);
  }

  isMounted(path: string): boolean {
    return this.#export.tree(path) !== undefined;
  }

  /** From now on what the guest still has of this tree is stale; nothing holds its inodes. */
  unmount(path: string): void {
    const tree = this.#export.tree(path);
    if (tree === undefined) return;
    this.#session.fids.releaseTree(tree);
    this.#export.unmount(path);
  }

  /** Requests received so far, by message name. */
  get requests(): Readonly<Record<string, number>> {
    return { ...this.#requests };
  }

  /** Handles that the guest has now. */
  get fids(): number {
    return this.#session.fids.size;
  }

  /** Requests that wait for their reply now. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** Takes a message; `reply` is called once, now or later. Never throws for what the message says. */
  receive(message: Uint8Array, reply: Reply): void {
    if (message.length < HEADER_LENGTH) {
      this.#count('malformed');
      reply(encodeError(NO_TAG, ERRNO.EINVAL));
      return;
    }
    const tag = tagOf(message);
    const size = new DataView(message.buffer, message.byteOffset, message.length).getUint32(0, true);
    const name = messageName(message[4] ?? 0);
    if (name === undefined) {
      this.#count('unknown');
      reply(encodeError(tag, ERRNO.EOPNOTSUPP));
      return;
    }
    this.#count(name);
    if (size < HEADER_LENGTH || size > message.length) {
      reply(encodeError(tag, ERRNO.EINVAL));
      return;
    }
    const whole = message.subarray(0, size);
    if (name === 'flush') this.#flush(tag, whole, reply);
    else this.#answer(name, tag, whole, reply);
  }

  #answer<N extends Exclude<MessageName, 'flush'>>(
    name: N,
    tag: number,
    message: Uint8Array,
    reply: Reply,
  ): void {
    try {
      // a new session ends the one before, and with it what waits there (version(5))
      if (name === 'version') for (const each of [...this.#pending.values()]) this.#interrupt(each);
      const request: RequestOf<N> = decodeRequest(name, message);
      const result = handlers[name](this.#session, request);
      if (result instanceof Promise) this.#later(name, tag, result, reply);
      else reply(encodeReply(name, tag, result, replyRoom(result)));
    } catch (error) {
      reply(this.#failure(tag, error));
    }
  }

  #later<N extends MessageName>(name: N, tag: number, result: Promise<ReplyOf<N>>, reply: Reply): void {
    const pending: Pending = { tag, reply };
    this.#pending.set(tag, pending);
    const finish = (message: Uint8Array<ArrayBuffer>) => {
      // flushed meanwhile, and the tag perhaps in use again
      if (this.#pending.get(tag) !== pending) return;
      this.#pending.delete(tag);
      reply(message);
    };
    result
      .then((value) => encodeReply(name, tag, value, replyRoom(value)))
      .catch((error: unknown) => this.#failure(tag, error))
      .then(finish)
      .catch(this.#report);
  }

  /**
   * flush(5). What waits is answered first, with EINTR, and then the flush:
   * each request owns a buffer of the guest's that only its reply gives back.
   * A process that waits for storage can so be killed at once.
   */
  #flush(tag: number, message: Uint8Array, reply: Reply): void {
    try {
      const pending = this.#pending.get(decodeRequest('flush', message).tag);
      if (pending !== undefined) this.#interrupt(pending);
      reply(encodeReply('flush', tag, {}));
    } catch (error) {
      reply(this.#failure(tag, error));
    }
  }

  #interrupt(pending: Pending): void {
    this.#pending.delete(pending.tag);
    pending.reply(encodeError(pending.tag, EINTR));
  }

  #failure(tag: number, error: unknown): Uint8Array<ArrayBuffer> {
    if (error instanceof FsError) return encodeError(tag, error.number);
    this.#report(error);
    return encodeError(tag, ERRNO.EIO);
  }

  #count(name: string): void {
    this.#requests[name] = (this.#requests[name] ?? 0) + 1;
  }
}

function tagOf(message: Uint8Array): number {
  return (message[5] ?? 0) | ((message[6] ?? 0) << 8);
}

/** Room for the reply, so that content is copied once. */
function replyRoom(reply: object): number {
  if ('bytes' in reply && reply.bytes instanceof Uint8Array) return reply.bytes.length + 16;
  if ('entries' in reply && reply.entries instanceof Uint8Array) return reply.entries.length + 16;
  return 192;
}
