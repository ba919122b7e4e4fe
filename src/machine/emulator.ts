/**
 * v86 with the devices that the machine has: a processor, memory, a serial
 * console for the kernel's messages, a virtio console for frames, virtio 9P.
 */

import type { Event, V86Options } from 'v86';
import { compileAtOnce } from './compiling.ts';
import { ConsolePort, keepPortRaw, PORT } from './port.ts';
import { internalsOf, type RunLoop } from './v86-internals.ts';
import { V86 } from './v86-module.ts';

/** What the emulated hardware is made of; part of a snapshot's key. */
export const HARDWARE = {
  vga_memory_size: 1 << 20,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  autostart: false,
  virtio_console: { type: 'none' },
  net_device: { type: 'virtio' },
} as const satisfies Partial<V86Options>;

const CONSOLE_LINES = 40;

/**
 * v86's index of the most pages that one compiled module may span. With 1
 * instead of 3, starting programs costs a fifth to two fifths less processor:
 * most of a shell's code runs too seldom to pay for larger modules.
 */
const JIT_MAX_PAGES = 1;

export type EmulatorStart = { readonly boot: Uint8Array<ArrayBuffer> } | { readonly state: ArrayBuffer };

export interface EmulatorOptions {
  readonly wasm: WebAssembly.Module;
  readonly memoryBytes: number;
  readonly start: EmulatorStart;
  readonly receive9p: (message: Uint8Array, reply: (message: Uint8Array) => void) => void;
  /** Bytes from the agent. */
  readonly onBytes: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** The guest cannot go on: a panic, a reboot, a halt, a trap of the emulator. At most once. */
  readonly onDeath: (reason: string) => void;
}

export class Emulator {
  readonly port: ConsolePort;
  readonly #v86: V86;
  readonly #count: { readonly 0: number };
  readonly #onDeath: (reason: string) => void;
  readonly #lines: string[] = [];
  #line = '';
  #isDead = false;

  private constructor(v86: V86, options: EmulatorOptions) {
    this.#v86 = v86;
    this.#onDeath = options.onDeath;
    // not `options` in the listeners: they would keep the state or boot image in memory
    const { onBytes } = options;
    const internals = internalsOf(v86);
    this.#count = internals.cpu.instruction_counter;
    this.port = new ConsolePort(internals.console, internals.bus);
    if ('boot' in options.start) keepPortRaw(internals.console);
    listen(v86, 'serial0-output-byte', (byte) => this.#print(byte));
    internals.listen(`virtio-console${PORT}-output-bytes`, (bytes) => {
      if (!(bytes instanceof Uint8Array) || !(bytes.buffer instanceof ArrayBuffer)) return;
      onBytes(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
    });
    internals.listen('cpu-event-halt', () => this.#die('The guest has halted.'));
    internals.cpu.set_jit_config(JIT_MAX_PAGES, 1);
    compileAtOnce(internals.cpu);
    internals.cpu.reboot_internal = () => this.#die('The guest has restarted.');
    this.#guard(internals.loop);
    yieldWithoutDelay(internals.loop);
  }

  /** An emulator that is loaded and does not run yet. Rejects for a state that v86 does not take. */
  static async load(options: EmulatorOptions): Promise<Emulator> {
    const { wasm, memoryBytes, start } = options;
    const v86 = await new Promise<V86>((resolve, reject) => {
      const loading = new V86({
        ...HARDWARE,
        memory_size: memoryBytes,
        wasm_fn: (imports) =>
          WebAssembly.instantiate(wasm, imports).then(
            ({ exports }) => exports,
            (error: unknown) => {
              reject(error);
              // v86 has nowhere to report it: let it wait for what will not come
              return new Promise(() => undefined);
            },
          ),
        filesystem: { handle9p: options.receive9p },
        ...('boot' in start ? { multiboot: { buffer: start.boot.buffer } } : {}),
      });
      listen(loading, 'emulator-loaded', () => resolve(loading));
    });
    // not as the option `initial_state`: v86 would lose the error of a broken one
    if ('state' in start) await v86.restore_state(start.state);
    return new Emulator(v86, options);
  }

  async run(): Promise<void> {
    await this.#v86.run();
  }

  /** Stops between two slices; the state can be saved then. */
  async stop(): Promise<void> {
    if (!this.#isDead) await this.#v86.stop();
  }

  saveState(): Promise<ArrayBuffer> {
    return this.#v86.save_state();
  }

  /** The last lines of the kernel's console. */
  get console(): readonly string[] {
    return this.#line === '' ? [...this.#lines] : [...this.#lines, this.#line];
  }

  /** Instructions that the guest has done, modulo 2^32: they stand still when it has nothing to do. */
  get instructions(): number {
    return this.#count[0];
  }

  async destroy(): Promise<void> {
    this.port.close();
    // a loop that died never reports that it has stopped
    if (this.#isDead) return;
    this.#isDead = true;
    await this.#v86.destroy();
  }

  #print(byte: number): void {
    if (byte === 13) return;
    if (byte !== 10) {
      if (this.#line.length < 1000) this.#line += String.fromCharCode(byte);
      return;
    }
    const line = this.#line;
    this.#line = '';
    this.#lines.push(line);
    if (this.#lines.length > CONSOLE_LINES) this.#lines.shift();
    const panic = /Kernel panic - not syncing: (.*)/.exec(line);
    if (panic !== null) this.#die(`The guest's kernel panicked: ${panic[1]}`);
  }

  #die(reason: string): void {
    if (this.#isDead) return;
    this.#isDead = true;
    // not awaited: the loop may be the caller
    void this.#v86.stop();
    this.#onDeath(reason);
  }

  /** A trap in v86's code or a device ends the loop; without this nobody would know. */
  #guard(loop: RunLoop): void {
    const tick = loop.do_tick.bind(loop);
    loop.do_tick = () => {
      try {
        tick();
      } catch (error) {
        this.#die(`The emulator failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    };
  }
}

function listen<T extends keyof Event>(v86: V86, name: T, listener: (value: Event[T]) => void): void {
  v86.add_listener(name, listener);
}

/**
 * In browsers timers that follow each other are held back to 4 ms, a message
 * to oneself is not. Node has setImmediate, which v86 uses there by itself.
 */
function yieldWithoutDelay(loop: RunLoop): void {
  if (typeof Reflect.get(globalThis, 'setImmediate') === 'function') return;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data: tick }: MessageEvent<unknown>) => {
    if (typeof tick === 'number') loop.yield_callback(tick);
  };
  loop.yield = (milliseconds, tick) => {
    if (milliseconds < 1) port2.postMessage(tick);
    else setTimeout(() => loop.yield_callback(tick), milliseconds);
  };
}
