/**
 * What this adapter uses of v86 beyond its declared types, with the guard that
 * finds out whether this version of v86 still has it.
 */

import type { V86 } from 'v86';

export interface VirtQueue {
  /** Truthy once the guest's driver has set the queue up. */
  is_configured(): unknown;
  has_request(): boolean;
}

export interface VirtioConsole {
  readonly virtio: { readonly queues: readonly VirtQueue[] };
  SendEvent(port: number, event: number, value: number): void;
}

/** The loop that runs the processor in slices and yields between them. */
export interface RunLoop {
  do_tick(): void;
  yield(milliseconds: number, tick: number): void;
  yield_callback(tick: number): void;
}

export interface Processor {
  /** Called when the guest asks for a reset. */
  reboot_internal(): void;
  set_jit_config(index: number, value: number): void;
}

/** What v86's compiler of guest code uses. */
export interface Compiling {
  /** Called with the table index, the page and the flags of a module that lies there in v86's memory. */
  codegen_finalize(index: number, page: number, flags: number, start: number, length: number): void;
  /** Told that the module is in the table. */
  codegen_finalize_finished(index: number, page: number, flags: number): void;
  /** Called by the loop after each slice; returns milliseconds until the next timer. */
  run_hardware_timers(...now: readonly unknown[]): unknown;
  /** Of 32 bits, at 0: no real array, as v86 looks through it into memory that may move. */
  readonly instruction_counter: { 0: number };
  readonly jit_imports: WebAssembly.ModuleImports;
  readonly wasm_memory: { readonly buffer: ArrayBuffer };
  readonly wm: { readonly wasm_table: { set(index: number, value: unknown): void } };
}

export interface Bus {
  send(name: string, value: unknown): void;
}

export interface V86Internals {
  readonly loop: RunLoop;
  readonly cpu: Processor & Compiling;
  readonly console: VirtioConsole;
  readonly bus: Bus;
  /** Listens to an event that v86's types do not name. */
  listen(name: string, listener: (value: unknown) => void): void;
}

/** The internals of an emulator that has been loaded; TypeError when v86 is not the version this was written for. */
export function internalsOf(emulator: V86): V86Internals {
  const loop: unknown = Reflect.get(emulator, 'v86');
  const bus: unknown = Reflect.get(emulator, 'bus');
  const cpu = member(loop, 'cpu');
  const device = member(member(cpu, 'devices'), 'virtio_console');
  if (!isRunLoop(loop) || !isProcessor(cpu) || !isCompiling(cpu) || !isBus(bus) || !isConsole(device)) {
    throw new TypeError('This version of v86 is not the one that the machine was written for.');
  }
  const listen: unknown = Reflect.get(emulator, 'add_listener');
  if (typeof listen !== 'function') throw new TypeError('v86 has no add_listener.');
  return {
    loop,
    cpu,
    bus,
    console: device,
    listen: (name, listener) => {
      Reflect.apply(listen, emulator, [name, listener]);
    },
  };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  return names.every((name) => typeof member(value, name) === 'function');
}

function isRunLoop(value: unknown): value is RunLoop {
  return hasMethods(value, 'do_tick', 'yield', 'yield_callback');
}

function isProcessor(value: unknown): value is Processor {
  return hasMethods(value, 'reboot_internal', 'set_jit_config');
}

function isCompiling(value: unknown): value is Compiling {
  return (
    hasMethods(value, 'codegen_finalize', 'codegen_finalize_finished', 'run_hardware_timers') &&
    typeof member(member(value, 'instruction_counter'), '0') === 'number' &&
    typeof member(value, 'jit_imports') === 'object' &&
    member(member(value, 'wasm_memory'), 'buffer') instanceof ArrayBuffer &&
    hasMethods(member(member(value, 'wm'), 'wasm_table'), 'set')
  );
}

function isBus(value: unknown): value is Bus {
  return hasMethods(value, 'send');
}

function isConsole(value: unknown): value is VirtioConsole {
  const queues = member(member(value, 'virtio'), 'queues');
  return (
    hasMethods(value, 'SendEvent') &&
    Array.isArray(queues) &&
    queues.every((queue) => hasMethods(queue, 'is_configured', 'has_request'))
  );
}
