import { describe, expect, it } from 'vitest';
import type { ExitStatus, Process } from '../../../src/engine/container/machine.ts';
import { exitAndOutput } from '../../../src/engine/container/running.ts';

function processOf(exit: Promise<ExitStatus>): Process {
  return {
    pid: 1,
    exit,
    output: { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }) },
    write: async () => undefined,
    closeInput: () => undefined,
    resize: () => undefined,
    signal: () => undefined,
  };
}

describe('the end of a program and of its output', () => {
  it('is the program’s when both are there', async () => {
    const status = { code: 3, signal: 0 };
    await expect(exitAndOutput(processOf(Promise.resolve(status)), Promise.resolve())).resolves.toBe(status);
  });

  // an output whose failure nobody took would end the whole of Node: vitest reports it as an unhandled rejection
  it('is the machine’s failure when that ends both', async () => {
    const exit = Promise.reject(new Error('the machine has failed'));
    const output = Promise.reject(new Error('its output too'));
    await expect(exitAndOutput(processOf(exit), output)).rejects.toThrow('the machine has failed');
    await new Promise((resolve) => setImmediate(resolve));
  });
});
