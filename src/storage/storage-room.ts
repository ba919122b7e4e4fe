/**
 * How much more the browser lets this page store. Programs in the guest are told that the disk is full while what they
 * wrote before still fits: bytes that were taken and then find no room would be lost.
 *
 * Some browsers tell their real limit. Chromium tells every page 10 GiB more than it uses, so that pages cannot be
 * told apart by it: there the limit is known when something was refused, and by then more was taken that is not stored
 * yet. So a reserve is held, of the size of all that can be taken and not stored; when something is refused it is
 * given back, and what was taken fits. From then on room is short, until the reserve can be held again.
 */

export interface Estimate {
  readonly usage?: number;
  readonly quota?: number;
}

/** Space that is held for when there is no other. */
export interface Reserve {
  /** Takes the space, if it is not held already; false where there is not so much. */
  hold(bytes: number): Promise<boolean>;
  /** Gives it back. */
  release(): Promise<void>;
}

const MB = 1024 * 1024;
/** Kept for what must fit when the disk is full: removals, checkpoints of journals, records. Bytes. */
const FOR_REMOVALS = 8 * MB;
/**
 * For what was written and is not stored: 16 MB that the guest's kernel may hold back (vm.dirty_bytes, guest/agent/boot.c),
 * 16 MB that a union takes before writers wait (UnionLimits.pendingBytes), and what is under way between the two.
 */
const FOR_WRITES = 56 * MB;
/** A power of two: Chromium asks for no other size of a private file, and gives back what is too much. */
const HELD = FOR_WRITES + FOR_REMOVALS;
/** Milliseconds for which an estimate is trusted; where there is little room, layers that come beside count soon. */
const TRUSTED = 5000;
const TRUSTED_WHERE_SCARCE = 500;
const SCARCE = 64 * MB;
/** Milliseconds between two tries to hold the reserve again. */
const HELD_AGAIN_AFTER = 2000;
/** Milliseconds that what is under way has to end before the reserve is given back. */
const ENDED_WITHIN = 3000;

export interface StorageRoomOptions {
  /** Milliseconds. */
  readonly now?: () => number;
  readonly reserve?: Reserve | undefined;
  /** Whether the sandbox is still this page's: the reserve of one that another tab took over is that tab's. */
  readonly isOwn?: () => Promise<boolean>;
}

export class StorageRoom {
  readonly #estimate: () => Promise<Estimate>;
  readonly #now: () => number;
  readonly #reserve: Reserve | undefined;
  readonly #isOwn: () => Promise<boolean>;
  /** Bytes that were free at the last estimate, and those taken since it was begun. */
  #free = Number.POSITIVE_INFINITY;
  #taken = 0;
  #isRefused = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  /** Undefined: it was not tried yet, or there is none. */
  #isHeld: boolean | undefined;
  /** Bytes of the reserve, since it was given back, that writes may still take. */
  #share = 0;
  #triedAt = Number.NEGATIVE_INFINITY;
  #changing = Promise.resolve();
  #onFull: () => void = () => undefined;
  #onReserve: (bytes: number) => void = () => undefined;

  /**
   * Called before the reserve is given back: what is not yet acknowledged must not take it. A promise is waited for, for
   * a while: it resolves when all that is over.
   */
  onShort: () => unknown = () => undefined;

  /** `estimate` as StorageManager has it; a quota or usage that it does not tell is none. */
  constructor(
    estimate: () => Promise<Estimate>,
    { now = Date.now, reserve, isOwn = () => Promise.resolve(true) }: StorageRoomOptions = {},
  ) {
    this.#estimate = estimate;
    this.#now = now;
    this.#reserve = reserve;
    this.#isOwn = isOwn;
  }

  /** Called when the browser refuses to store something, once until it stores again; at once if that is so already. */
  set onFull(onFull: () => void) {
    this.#onFull = onFull;
    if (this.#isRefused || this.isShort) onFull();
  }

  /** Called with the bytes that are held in reserve: whenever they change, and at once when there are some. */
  set onReserve(onReserve: (bytes: number) => void) {
    this.#onReserve = onReserve;
    if (this.#isHeld === true) onReserve(HELD);
  }

  /** Whether the reserve was given back: nothing more should be taken than what was written before that. */
  get isShort(): boolean {
    return this.#isHeld === false;
  }

  /** Bytes that may still be stored, as far as is known; Infinity before the first answer of the browser. */
  get bytes(): number {
    // it may be that another tab, which is ending, has it
    if (
      this.#isHeld !== true &&
      this.#reserve !== undefined &&
      this.#now() - this.#triedAt > HELD_AGAIN_AFTER
    )
      void this.hold();
    if (this.isShort) {
      return this.#isRefused ? 0 : Math.max(0, this.#share);
    }
    const reserved = this.#isHeld === true ? 0 : FOR_REMOVALS;
    const left = Math.max(0, this.#free - this.#taken - reserved);
    const trusted = left < SCARCE ? TRUSTED_WHERE_SCARCE : TRUSTED;
    if (this.#now() - this.#askedAt > trusted) void this.ask();
    if (this.#isRefused) return 0;
    return this.#isHeld === true ? Math.max(left, FOR_WRITES) : left;
  }

  /** So many bytes were stored. */
  take(bytes: number): void {
    this.#isRefused = false;
    this.#taken += bytes;
    this.#share -= bytes;
  }

  /** So many bytes were removed: what is written may take them. */
  give(bytes: number): void {
    this.#share = Math.min(FOR_WRITES, this.#share + bytes);
  }

  /** The browser did not store something: there is no room, whatever it says, until it takes something again. */
  refuse(): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    if (!this.isShort) this.#onFull();
  }

  /** Tries to hold the reserve, as it was when the sandbox was open last. Never rejects: without one `bytes` is careful. */
  hold(): Promise<void> {
    const reserve = this.#reserve;
    if (reserve === undefined) return Promise.resolve();
    this.#triedAt = this.#now();
    return this.#change(async () => {
      if (this.#isHeld === true || !(await this.#isOwn())) return;
      const isHeld = await reserve.hold(HELD);
      const isNews = !isHeld && this.#isHeld === undefined;
      this.#isHeld = isHeld;
      if (isHeld) {
        this.#isRefused = false;
        this.#onReserve(HELD);
      }
      if (isNews) this.#onFull();
    });
  }

  /** Gives the reserve back, so that what was refused can be tried again. False when it was not held, or is another tab's. */
  async spend(): Promise<boolean> {
    let isSpent = false;
    await this.#change(async () => {
      if (this.#isHeld !== true || !(await this.#isOwn())) return;
      isSpent = true;
      this.#isHeld = false;
      this.#share = FOR_WRITES;
      this.#triedAt = this.#now();
      const ended = this.onShort();
      this.#onFull();
      await within(ENDED_WITHIN, ended);
      await this.#reserve?.release();
      this.#onReserve(0);
    });
    return isSpent;
  }

  /** One change of the reserve after the other. One that fails leaves what is known. */
  #change(change: () => Promise<void>): Promise<void> {
    this.#changing = this.#changing.then(change).catch(() => undefined);
    return this.#changing;
  }

  /** Asks the browser. Never rejects: one that does not answer leaves what is known. */
  ask(): Promise<void> {
    this.#askedAt = this.#now();
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const taken = this.#taken;
    const { usage, quota } = await this.#estimate().catch((): Estimate => ({}));
    if (usage === undefined || quota === undefined) return;
    this.#free = quota - usage;
    // what was stored while it was asked may be in the answer or not
    this.#taken = Math.max(0, this.#taken - taken);
  }
}

/** Resolves when that does, or after so many milliseconds. */
async function within(milliseconds: number, ended: unknown): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([ended, late]).finally(() => clearTimeout(timer));
}
