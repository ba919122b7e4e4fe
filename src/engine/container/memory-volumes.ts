/** Volumes that are in memory: mounted on the machine's host side for as long as a container that runs has them. */

import { LayerboxError } from '../errors.ts';
import { printableName } from '../names.ts';
import { Turns } from '../turns.ts';
import type { DeviceMount } from '../volume/volume-options.ts';
import { runInGuest } from './guest-tar.ts';
import type { Machine } from './machine.ts';
import { volumePath } from './mounted.ts';

const HOST = { host: true } as const;

export class MemoryVolumes {
  /** The containers that have each. */
  readonly #holders = new Map<string, Set<string>>();
  readonly #turns = new Turns();

  /** From now on it is at `volumePath(name)`. LayerboxError in Docker's words for options that the kernel does not take. */
  take(
    machine: Machine,
    container: string,
    name: string,
    device: DeviceMount & { readonly kind: 'tmpfs' },
  ): Promise<void> {
    return this.#turns.take(name, async () => {
      const holders = this.#holders.get(name) ?? new Set();
      if (holders.size === 0) await mountOnHost(machine, name, device);
      this.#holders.set(name, holders.add(container));
    });
  }

  /** The container has ended: what nobody has any more is gone. */
  async release(machine: Machine, container: string): Promise<void> {
    for (const name of [...this.#holders.keys()]) {
      await this.#turns.take(name, async () => {
        const holders = this.#holders.get(name);
        if (holders?.delete(container) !== true || holders.size > 0) return;
        this.#holders.delete(name);
        const { code, err } = await runInGuest(machine, HOST, ['umount', volumePath(name)]);
        if (code !== 0) throw new LayerboxError(printableName(err.trim()), { volume: name });
      });
    }
  }
}

async function mountOnHost(
  machine: Machine,
  name: string,
  { device, options }: { readonly device: string; readonly options: string },
): Promise<void> {
  const path = volumePath(name);
  await runInGuest(machine, HOST, ['mkdir', '-p', path]);
  const flags = options === '' ? [] : ['-o', options];
  const { code, err } = await runInGuest(machine, HOST, [
    ...['mount', '-t', 'tmpfs', ...flags, '--', device, path],
  ]);
  if (code === 0) return;
  const why = printableName(err.trim().split(': ').at(-1) ?? '').toLowerCase();
  throw mountFault(name, `${device}:${path}, data: ${options}: ${why}`);
}

/** The error of a volume that cannot be mounted, in Docker's words; `what` as mount(2) was asked and answered. */
export function mountFault(name: string, what: string): LayerboxError {
  return new LayerboxError(
    `error while mounting volume '${volumePath(name)}': failed to mount local volume: mount ${printableName(what)}`,
    { volume: name },
  );
}
