import { MachineUnavailableError } from '../errors.ts';
import type { Machine } from './machine.ts';

/** The machine, once it runs. MachineUnavailableError when there is none, MachineFailedError when it does not start. */
export async function startedMachine(machine: Machine | undefined): Promise<Machine> {
  if (machine === undefined) {
    throw new MachineUnavailableError(
      'this sandbox has no machine, so no program can run: open it without `machine: false`',
    );
  }
  await machine.start();
  return machine;
}
