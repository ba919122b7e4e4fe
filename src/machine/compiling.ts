/**
 * How the guest's hot code becomes WebAssembly. v86 compiles one page of code at a time and asks for each module
 * asynchronously: the compiler's threads are busy with optimizing earlier ones, and answers are only taken between
 * two slices of the loop, which last several milliseconds while code is interpreted. Until then nothing else is
 * compiled. Here the module is made on the spot, which takes one to three milliseconds, and the slice ends with it.
 */

import type { Compiling } from './v86-internals.ts';

/** v86's own tables come first in the table of functions. */
const FIRST_MODULE = 1024;
/** Instructions after which the loop looks at its timers, in v86's code. */
const SLICE = 100_003;

/** Makes v86 compile at once. */
export function compileAtOnce(cpu: Compiling): void {
  let finish: (() => void) | undefined;
  cpu.codegen_finalize = (index, page, flags, start, length) => {
    const code = new Uint8Array(cpu.wasm_memory.buffer, start >>> 0, length >>> 0);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { e: cpu.jit_imports });
    cpu.wm.wasm_table.set(FIRST_MODULE + index, exports.f);
    // not now: v86 is in the middle of its own tables
    finish = () => {
      finish = undefined;
      resumeCount(cpu);
      cpu.codegen_finalize_finished(index, page, flags);
    };
    endSlice(cpu);
    // where the loop did not come by: the next one would wait for ever
    queueMicrotask(() => finish?.());
  };
  const runTimers = cpu.run_hardware_timers.bind(cpu);
  cpu.run_hardware_timers = (...now) => {
    finish?.();
    return runTimers(...now);
  };
}

/** The loop goes by the count of instructions: it stops when that has grown by a slice. */
function endSlice({ instruction_counter }: Compiling): void {
  instruction_counter[0] += SLICE;
}

function resumeCount({ instruction_counter }: Compiling): void {
  instruction_counter[0] -= SLICE;
}
