/** The compiler of guest code, as v86 calls it. */

import { beforeEach, describe, expect, it } from 'vitest';
import { compileAtOnce } from '../../../src/machine/compiling.ts';

/** A module whose function `f` returns 7. */
const MODULE = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0],
  ...[7, 5, 1, 1, 0x66, 0, 0, 10, 6, 1, 4, 0, 0x41, 7, 0x0b],
);
const AT = 100;
const COUNT = 4_294_967_000;

let table: Map<number, unknown>;
let finished: number[][];
let timers: (readonly unknown[])[];
let counter: Uint32Array<ArrayBuffer> & { 0: number };
let cpu: Parameters<typeof compileAtOnce>[0];

beforeEach(() => {
  table = new Map();
  finished = [];
  timers = [];
  counter = Object.assign(Uint32Array.of(COUNT), { 0: COUNT });
  const memory = new Uint8Array(1024);
  memory.set(MODULE, AT);
  cpu = {
    codegen_finalize: () => undefined,
    codegen_finalize_finished: (...module) => finished.push(module),
    run_hardware_timers: (...now) => {
      timers.push(now);
      return 5;
    },
    instruction_counter: counter,
    jit_imports: {},
    wasm_memory: { buffer: memory.buffer },
    wm: { wasm_table: { set: (index, value) => table.set(index, value) } },
  };
  compileAtOnce(cpu);
});

describe('a module that v86 made', () => {
  it('is in the table when v86 goes on, and counts as finished only after the slice, which it ends', () => {
    cpu.codegen_finalize(3, 0x1000, 9, AT, MODULE.length);
    const f = table.get(1027);
    expect(typeof f === 'function' ? f() : f).toBe(7);
    expect(finished).toEqual([]);
    expect((counter[0] - COUNT) >>> 0).toBeGreaterThanOrEqual(100_003);
    expect(cpu.run_hardware_timers(1, 2)).toBe(5);
    expect(finished).toEqual([[3, 0x1000, 9]]);
    expect(counter[0]).toBe(COUNT);
    expect(timers).toEqual([[1, 2]]);
  });

  it('is finished once', async () => {
    cpu.codegen_finalize(3, 0x1000, 9, AT, MODULE.length);
    cpu.run_hardware_timers();
    cpu.run_hardware_timers();
    await Promise.resolve();
    expect(finished).toHaveLength(1);
    expect(counter[0]).toBe(COUNT);
  });

  it('is finished also where no slice comes to its end', async () => {
    cpu.codegen_finalize(3, 0x1000, 9, AT, MODULE.length);
    await Promise.resolve();
    expect(finished).toEqual([[3, 0x1000, 9]]);
    expect(counter[0]).toBe(COUNT);
  });
});
