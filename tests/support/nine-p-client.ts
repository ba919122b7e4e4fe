/** A client of the 9P server, for tests: typed requests, real bytes. */

import { expect } from 'vitest';
import { ERRNO, type Errno } from '../../src/engine/unionfs/errno.ts';
import {
  decodeReply,
  encodeRequest,
  type MessageName,
  RemoteError,
  type ReplyOf,
  type RequestOf,
} from '../../src/machine/nine-p/messages.ts';
import type { NinePServer } from '../../src/machine/nine-p/server.ts';

export const NO_FID = 0xffffffff;
/** fid of the export's root, bound by `connect`. */
export const ROOT_FID = 0;

export class NinePClient {
  readonly #server: NinePServer;
  #tag = 0;

  constructor(server: NinePServer) {
    this.#server = server;
  }

  /** Begins a session and binds ROOT_FID for this user. */
  async connect(msize = 65536, uid = 0, version = '9P2000.L'): Promise<void> {
    await this.call('version', { msize, version });
    await this.call('attach', { fid: ROOT_FID, afid: NO_FID, user: '', tree: '', uid });
  }

  /** Sends bytes as they are; resolves with the reply's. */
  raw(message: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve) => this.#server.receive(message, resolve));
  }

  /** The reply's fields; RemoteError. */
  async call<N extends MessageName>(name: N, request: RequestOf<N>, tag?: number): Promise<ReplyOf<N>> {
    this.#tag = (this.#tag + 1) % 0xffff;
    return decodeReply(name, await this.raw(encodeRequest(name, tag ?? this.#tag, request)));
  }

  /** Walks from the root to a path like "host/a/b". */
  async walk(path: string, newFid: number): Promise<ReplyOf<'walk'>> {
    return this.call('walk', { fid: ROOT_FID, newFid, names: path === '' ? [] : path.split('/') });
  }
}

/** That a call is answered with this error. */
export async function expectErrno(call: Promise<unknown>, errno: Errno | number): Promise<void> {
  const error = await call.then(
    (reply) => reply,
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(RemoteError);
  if (error instanceof RemoteError) {
    expect(error.number).toBe(typeof errno === 'number' ? errno : ERRNO[errno]);
  }
}
