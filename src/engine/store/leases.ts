/**
 * Leases: what somebody works with is kept from garbage collection.
 *
 * The order that makes it safe: take (or extend) the lease first, look whether
 * the content is there after that. While a collection sweeps, taking and
 * extending wait for its end; so what was seen under a lease stays.
 *
 *     const lease = await leases.take({ owner: 'pull busybox', content: [digest], ephemeral: true });
 *     if ((await content.stat(digest)) === undefined) await fetchInto(content, digest);
 *     await records.commit([...image, lease.releaseChange()]);
 */

import { type DiffID, type Digest, hexOf } from '../oci/digest.ts';
import type { Change, LeaseRecord, RecordStore } from './records.ts';

export interface LeaseRequest {
  /** Default: a new random one. An ID that is taken already is replaced. */
  readonly id?: string;
  /** In words, for who lists them: `pull busybox`. */
  readonly owner: string;
  readonly content?: readonly Digest[];
  readonly layers?: readonly DiffID[];
  /** True for a lease that ends with the page: dropped at the next start. */
  readonly ephemeral: boolean;
}

/** A lease that was taken. */
export interface Lease {
  readonly id: string;
  /** Adds to what it keeps; durable when it resolves. */
  extend(more: { readonly content?: readonly Digest[]; readonly layers?: readonly DiffID[] }): Promise<void>;
  release(): Promise<void>;
  /** The release as a change, for the commit that makes what it kept an image or a container. */
  releaseChange(): Change;
}

/** One per sandbox: whoever takes leases and whoever collects garbage must share it. */
export class Leases {
  readonly #records: RecordStore;
  readonly #now: () => number;
  /** Settles when what has been queued so far is done: a commit of a lease, or a whole sweep. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(records: RecordStore, now: () => number) {
    this.#records = records;
    this.#now = now;
  }

  async take(request: LeaseRequest): Promise<Lease> {
    let record: LeaseRecord = {
      id: request.id ?? hexOf(crypto.getRandomValues(new Uint8Array(16))),
      owner: request.owner,
      content: [...new Set(request.content)],
      layers: [...new Set(request.layers)],
      createdAt: this.#now(),
      ephemeral: request.ephemeral,
    };
    await this.#inTurn(() => this.#records.commit([{ kind: 'leases', put: record }]));
    const id = record.id;
    return {
      id,
      extend: (more) =>
        this.#inTurn(async () => {
          record = {
            ...record,
            content: [...new Set([...record.content, ...(more.content ?? [])])],
            layers: [...new Set([...record.layers, ...(more.layers ?? [])])],
          };
          await this.#records.commit([{ kind: 'leases', put: record }]);
        }),
      release: () => this.release(id),
      releaseChange: () => ({ kind: 'leases', delete: id }),
    };
  }

  /** Releasing what is not there is no error. */
  async release(id: string): Promise<void> {
    await this.#records.commit([{ kind: 'leases', delete: id }]);
  }

  /** At the start, before anybody works: drops what a page that is gone had taken. Returns how many. */
  async dropEphemeral(): Promise<number> {
    const leases = await this.#records.list('leases');
    const dropped = leases.filter((lease) => lease.ephemeral);
    await this.#records.commit(dropped.map((lease) => ({ kind: 'leases' as const, delete: lease.id })));
    return dropped.length;
  }

  /** Runs a collection while no lease can be taken or extended. */
  whileStill<T>(collect: () => Promise<T>): Promise<T> {
    return this.#inTurn(collect);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined); // who asked for this turn gets its error; the next one starts afresh
    return turn;
  }
}
