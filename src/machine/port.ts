/**
 * Port 1 of v86's virtio console as a raw byte stream: no tty in between, up
 * to 32 KB a buffer from the guest, at most 4 KB a buffer to it.
 */

import type { VirtioConsole } from './v86-internals.ts';

export const PORT = 1;
/** Receive queue of a port: 0 for port 0, 2 * port + 2 for the others (virtio 1.1, section 5.3.2). */
const RECEIVE_QUEUE = 2 * PORT + 2;
/** The guest's driver queues buffers of one page. */
const MAX_PIECE = 4096;
/** VIRTIO_CONSOLE_CONSOLE_PORT: makes a port an hvc console. */
const CONSOLE_PORT = 4;

interface PortBus {
  send(name: string, bytes: Uint8Array): void;
}

/**
 * Keeps port 1 a raw character device: without the event that makes it a
 * console the driver gives it no tty. Once, before a cold boot runs; a
 * restored machine remembers.
 */
export function keepPortRaw(device: VirtioConsole): void {
  const send = device.SendEvent.bind(device);
  device.SendEvent = (port, event, value) => {
    if (port === PORT && event === CONSOLE_PORT) return;
    send(port, event, value);
  };
}

/** The engine's end of the port: writes in order, waiting while the guest has no buffer queued. */
export class ConsolePort {
  readonly #device: VirtioConsole;
  readonly #bus: PortBus;
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isScheduled = false;
  #isClosed = false;

  constructor(device: VirtioConsole, bus: PortBus) {
    this.#device = device;
    this.#bus = bus;
  }

  /** Queues bytes; what is written in one turn goes in as few buffers as it fits. */
  write(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isClosed) return;
    this.#waiting.push(bytes);
    if (this.#isScheduled || this.#timer !== undefined) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  /** True when nothing waits for the guest. */
  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    clearTimeout(this.#timer);
  }

  #flush(): void {
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const queue = this.#device.virtio.queues[RECEIVE_QUEUE];
      // v86 drops what comes while no buffer is queued, and tells nobody when one is
      if (queue === undefined || !queue.is_configured() || !queue.has_request()) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#flush();
        }, 1);
        return;
      }
      this.#bus.send(`virtio-console${PORT}-input-bytes`, this.#nextPiece());
    }
  }

  /** At most MAX_PIECE bytes from the front of what waits. */
  #nextPiece(): Uint8Array<ArrayBuffer> {
    const first = this.#waiting[0];
    if (first !== undefined && (this.#waiting.length === 1 || first.length >= MAX_PIECE)) {
      if (first.length <= MAX_PIECE) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(MAX_PIECE);
      return first.subarray(0, MAX_PIECE);
    }
    const piece = new Uint8Array(MAX_PIECE);
    let length = 0;
    while (length < MAX_PIECE) {
      const next = this.#waiting[0];
      if (next === undefined) break;
      const part = next.subarray(0, MAX_PIECE - length);
      piece.set(part, length);
      length += part.length;
      if (part.length === next.length) this.#waiting.shift();
      else this.#waiting[0] = next.subarray(part.length);
    }
    return piece.subarray(0, length);
  }
}
