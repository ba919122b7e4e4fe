/**
 * The messages of 9P2000.L as a table (9P manual, section 5, for the first
 * group; the ".L" extension as Linux's include/net/9p/9p.h and
 * net/9p/client.c have it for the rest). The reply's type is the request's + 1.
 */

import { FsError } from '../../engine/unionfs/errno.ts';
import { HEADER_LENGTH, type Qid, WireReader, WireWriter } from './wire.ts';

/** Names in one walk, P9_MAXWELEM. */
const MAX_WALK = 16;
const RLERROR = 7;

interface FieldTypes {
  u8: number;
  u16: number;
  u32: number;
  u64: number;
  time: bigint;
  string: string;
  names: readonly string[];
  data: Uint8Array;
  /** Bytes up to the end of the message. */
  rest: Uint8Array;
  qid: Qid;
  qids: readonly Qid[];
}
type Fields = Readonly<Record<string, keyof FieldTypes>>;
type Values<F extends Fields> = { readonly [K in keyof F]: FieldTypes[F[K]] };

const opened = { qid: 'qid', ioUnit: 'u32' } as const;
const made = { qid: 'qid' } as const;

export const MESSAGES = {
  version: {
    type: 100,
    request: { msize: 'u32', version: 'string' },
    reply: { msize: 'u32', version: 'string' },
  },
  attach: {
    type: 104,
    request: { fid: 'u32', afid: 'u32', user: 'string', tree: 'string', uid: 'u32' },
    reply: made,
  },
  flush: { type: 108, request: { tag: 'u16' }, reply: {} },
  walk: { type: 110, request: { fid: 'u32', newFid: 'u32', names: 'names' }, reply: { qids: 'qids' } },
  read: { type: 116, request: { fid: 'u32', offset: 'u64', count: 'u32' }, reply: { bytes: 'data' } },
  write: { type: 118, request: { fid: 'u32', offset: 'u64', bytes: 'data' }, reply: { count: 'u32' } },
  clunk: { type: 120, request: { fid: 'u32' }, reply: {} },
  remove: { type: 122, request: { fid: 'u32' }, reply: {} },

  statfs: {
    type: 8,
    request: { fid: 'u32' },
    reply: {
      type: 'u32',
      blockSize: 'u32',
      blocks: 'u64',
      free: 'u64',
      available: 'u64',
      files: 'u64',
      freeFiles: 'u64',
      id: 'u64',
      nameLength: 'u32',
    },
  },
  lopen: { type: 12, request: { fid: 'u32', flags: 'u32' }, reply: opened },
  lcreate: {
    type: 14,
    request: { fid: 'u32', name: 'string', flags: 'u32', mode: 'u32', gid: 'u32' },
    reply: opened,
  },
  symlink: {
    type: 16,
    request: { directory: 'u32', name: 'string', target: 'string', gid: 'u32' },
    reply: made,
  },
  mknod: {
    type: 18,
    request: { directory: 'u32', name: 'string', mode: 'u32', major: 'u32', minor: 'u32', gid: 'u32' },
    reply: made,
  },
  rename: { type: 20, request: { fid: 'u32', directory: 'u32', name: 'string' }, reply: {} },
  readlink: { type: 22, request: { fid: 'u32' }, reply: { target: 'string' } },
  getattr: {
    type: 24,
    request: { fid: 'u32', mask: 'u64' },
    reply: {
      valid: 'u64',
      qid: 'qid',
      mode: 'u32',
      uid: 'u32',
      gid: 'u32',
      nlink: 'u64',
      rdev: 'u64',
      size: 'u64',
      blockSize: 'u64',
      blocks: 'u64',
      atime: 'time',
      mtime: 'time',
      ctime: 'time',
      btime: 'time',
      generation: 'u64',
      version: 'u64',
    },
  },
  setattr: {
    type: 26,
    request: {
      fid: 'u32',
      valid: 'u32',
      mode: 'u32',
      uid: 'u32',
      gid: 'u32',
      size: 'u64',
      atime: 'time',
      mtime: 'time',
    },
    reply: {},
  },
  xattrwalk: {
    type: 30,
    request: { fid: 'u32', newFid: 'u32', name: 'string' },
    reply: { size: 'u64' },
  },
  xattrcreate: {
    type: 32,
    request: { fid: 'u32', name: 'string', size: 'u64', flags: 'u32' },
    reply: {},
  },
  readdir: { type: 40, request: { fid: 'u32', offset: 'u64', count: 'u32' }, reply: { entries: 'data' } },
  fsync: { type: 50, request: { fid: 'u32' }, reply: {} },
  lock: {
    type: 52,
    request: {
      fid: 'u32',
      type: 'u8',
      flags: 'u32',
      start: 'u64',
      length: 'u64',
      process: 'u32',
      client: 'string',
    },
    reply: { status: 'u8' },
  },
  getlock: {
    type: 54,
    request: { fid: 'u32', type: 'u8', start: 'u64', length: 'u64', process: 'u32', client: 'string' },
    reply: { type: 'u8', start: 'u64', length: 'u64', process: 'u32', client: 'string' },
  },
  link: { type: 70, request: { directory: 'u32', fid: 'u32', name: 'string' }, reply: {} },
  mkdir: {
    type: 72,
    request: { directory: 'u32', name: 'string', mode: 'u32', gid: 'u32' },
    reply: made,
  },
  renameat: {
    type: 74,
    request: { from: 'u32', name: 'string', to: 'u32', newName: 'string' },
    reply: {},
  },
  unlinkat: { type: 76, request: { directory: 'u32', name: 'string', flags: 'u32' }, reply: {} },

  // 9P2000.L.lists, see listing.ts
  list: { type: 80, request: { fid: 'u32', names: 'names', count: 'u32' }, reply: { bytes: 'data' } },
  lookup: { type: 82, request: { fid: 'u32', names: 'names' }, reply: { attributes: 'rest' } },
  make: {
    type: 84,
    request: { directory: 'u32', fid: 'u32', name: 'string', flags: 'u32', mode: 'u32', gid: 'u32' },
    reply: { attributes: 'rest' },
  },
} as const satisfies Record<string, { type: number; request: Fields; reply: Fields }>;

export type MessageName = keyof typeof MESSAGES;
export type RequestOf<N extends MessageName> = Values<(typeof MESSAGES)[N]['request']>;
export type ReplyOf<N extends MessageName> = Values<(typeof MESSAGES)[N]['reply']>;

const byType = new Map<number, MessageName>();
for (const name of Object.keys(MESSAGES)) {
  if (isMessageName(name)) byType.set(MESSAGES[name].type, name);
}

function isMessageName(name: string): name is MessageName {
  return Object.hasOwn(MESSAGES, name);
}

/** The name of a request's type, undefined for one that the table does not know. */
export function messageName(type: number): MessageName | undefined {
  return byType.get(type);
}

const readers: { readonly [T in keyof FieldTypes]: (reader: WireReader) => FieldTypes[T] } = {
  u8: (reader) => reader.u8(),
  u16: (reader) => reader.u16(),
  u32: (reader) => reader.u32(),
  u64: (reader) => reader.u64(),
  time: (reader) => reader.time(),
  string: (reader) => reader.string(),
  names: (reader) => reader.strings(MAX_WALK),
  data: (reader) => reader.data(),
  rest: (reader) => reader.rest(),
  qid: readQid,
  qids: (reader) => Array.from({ length: reader.u16() }, () => readQid(reader)),
};

function readQid(reader: WireReader): Qid {
  return { type: reader.u8(), version: reader.u32(), path: reader.u64() };
}

const writers: { readonly [T in keyof FieldTypes]: (writer: WireWriter, value: FieldTypes[T]) => void } = {
  u8: (writer, value) => writer.u8(value),
  u16: (writer, value) => writer.u16(value),
  u32: (writer, value) => writer.u32(value),
  u64: (writer, value) => writer.u64(value),
  time: (writer, value) => writer.time(value),
  string: (writer, value) => writer.string(value),
  names: (writer, value) => {
    writer.u16(value.length);
    for (const name of value) writer.string(name);
  },
  data: (writer, value) => writer.data(value),
  rest: (writer, value) => writer.raw(value),
  qid: (writer, value) => writer.qid(value),
  qids: (writer, value) => {
    writer.u16(value.length);
    for (const qid of value) writer.qid(qid);
  },
};

function readFields<F extends Fields>(fields: F, message: Uint8Array): Values<F> {
  const reader = new WireReader(message);
  const values: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(fields)) values[name] = readers[type](reader);
  // the loop filled in exactly the fields of F; no guard could say so
  return values as Values<F>;
}

function writeField<T extends keyof FieldTypes>(writer: WireWriter, type: T, value: FieldTypes[T]): void {
  writers[type](writer, value);
}

function writeFields<F extends Fields>(fields: F, values: Values<F>, writer: WireWriter): void {
  for (const name of Object.keys(fields)) {
    const type = fields[name];
    const value = values[name];
    if (type !== undefined && value !== undefined) writeField(writer, type, value);
  }
}

/** The fields of a request of this name. EINVAL when the message is too short for them. */
export function decodeRequest<N extends MessageName>(name: N, message: Uint8Array): RequestOf<N> {
  return readFields<(typeof MESSAGES)[N]['request']>(MESSAGES[name].request, message);
}

/** The reply to a request of this name, whole. */
export function encodeReply<N extends MessageName>(
  name: N,
  tag: number,
  reply: ReplyOf<N>,
  room?: number,
): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter(room);
  writeFields<(typeof MESSAGES)[N]['reply']>(MESSAGES[name].reply, reply, writer);
  return writer.message(MESSAGES[name].type + 1, tag);
}

/** Rlerror with a Linux error number. */
export function encodeError(tag: number, errno: number): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter(HEADER_LENGTH + 4);
  writer.u32(errno);
  return writer.message(RLERROR, tag);
}

/** The client's half, for tests: a request whole. */
export function encodeRequest<N extends MessageName>(
  name: N,
  tag: number,
  request: RequestOf<N>,
): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter();
  writeFields<(typeof MESSAGES)[N]['request']>(MESSAGES[name].request, request, writer);
  return writer.message(MESSAGES[name].type, tag);
}

/** The client's half, for tests: the fields of a reply; throws RemoteError for Rlerror. */
export function decodeReply<N extends MessageName>(name: N, message: Uint8Array): ReplyOf<N> {
  const type = message[4];
  if (type === RLERROR) throw new RemoteError(new WireReader(message).u32());
  if (type !== MESSAGES[name].type + 1) throw new FsError('EPROTO', `reply of type ${type} to ${name}`);
  return readFields<(typeof MESSAGES)[N]['reply']>(MESSAGES[name].reply, message);
}

/** An Rlerror as the client sees it. */
export class RemoteError extends Error {
  readonly number: number;

  constructor(number: number) {
    super(`9P error ${number}`);
    this.name = 'RemoteError';
    this.number = number;
  }
}
