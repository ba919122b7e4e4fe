/** How containers start: by hand, by their restart policy, and when the host comes back. */

import { ContainerStateError } from '../errors.ts';
import { type ContainerRecord, hostConfigOf } from '../store/container-record.ts';
import type { Attachment } from './attach.ts';
import { finishContainer } from './finishing.ts';
import { initialHealth } from './health-monitors.ts';
import { launch } from './launch.ts';
import { writeLimits } from './limits.ts';
import type { LiveContainers, Started } from './live-containers.ts';
import type { Machine, Process } from './machine.ts';
import { startsWithHost } from './restart-policy.ts';
import type { Rootfs } from './rootfs.ts';
import { RunningContainer, sizeAttributes } from './running.ts';
import { SIGKILL } from './signals.ts';
import { startFailure } from './start-failure.ts';
import { startedMachine } from './started-machine.ts';

/**
 * Runs the container's program; one that runs already is left alone. `attachments` see its output from the first
 * byte. CannotStartError (data.exitCode 125, 126 or 127) in Docker's words, MachineUnavailableError.
 */
export function startContainer(
  live: LiveContainers,
  id: string,
  attachments: readonly Attachment[] = [],
): Promise<Started> {
  return live.turns.take(id, async () => {
    const present = live.started.get(id);
    if (present !== undefined && !present.running.hasExited) {
      if (live.get(id).state.status === 'paused') {
        throw new ContainerStateError('cannot start a paused container, try unpause instead', {
          container: id,
        });
      }
      for (const attachment of attachments) {
        live.emit('attach', live.get(id));
        present.running.attach(attachment);
      }
      return present;
    }
    await present?.finished;
    live.restarts.reset(id);
    return startNow(live, id, attachments, { restartCount: 0, isManuallyStopped: false });
  });
}

async function startNow(
  live: LiveContainers,
  id: string,
  attachments: readonly Attachment[],
  change: { restartCount?: number; isManuallyStopped?: boolean },
): Promise<Started> {
  const record = live.get(id);
  if (record.state.status === 'removing') {
    throw new ContainerStateError(`container ${id} is marked for removal and cannot be started`, {
      container: id,
    });
  }
  const machine = await startedMachine(live.ports.machine);
  // Docker's client attaches before it starts
  for (const _ of attachments) live.emit('attach', record);
  const rootfs = await live.rootfs.open(record);
  try {
    const process = await spawnProgram(live, machine, record, rootfs, attachments);
    return await launched(live, machine, record, rootfs, process, attachments, change);
  } catch (error) {
    await rootfs.release();
    throw error;
  }
}

/** By its restart policy, when it still waits for that. */
function startAgain(live: LiveContainers, id: string): Promise<void> {
  return live.turns.take(id, async () => {
    const isDue = () => live.registry.has(id) && live.get(id).state.status === 'restarting';
    if (!isDue() || live.restarts.isCancelled(id)) return;
    try {
      await startNow(live, id, [], {});
    } catch (error) {
      if (!isDue()) return;
      const reason = error instanceof Error ? error.message : String(error);
      await live.registry.setState(id, { status: 'exited', error: reason });
    }
  });
}

/**
 * Starts what was running when the page went away and is to run again, as Docker's daemon does when it comes back.
 * What cannot be started has the reason in its record.
 */
export async function startWithHost(live: LiveContainers): Promise<void> {
  const due = live.list().filter((record) => startsWithHost(record));
  await Promise.all(due.map(({ id }) => startContainer(live, id).catch(live.ports.onFailure)));
}

/** Starts the program; what could not start is told in the record too. */
async function spawnProgram(
  live: LiveContainers,
  machine: Machine,
  record: ContainerRecord,
  rootfs: Rootfs,
  attachments: readonly Attachment[],
): Promise<Process> {
  try {
    await writeLimits(machine, record.id, hostConfigOf(record).limits, { all: false });
    const mounts = await live.volumes.mounts(record);
    const network = await live.networks.open(machine, record);
    return await launch(machine, record, rootfs.union, attachments, network, mounts);
  } catch (error) {
    await live.networks.close(record.id);
    await live.volumes.release(record.id).catch(live.ports.onFailure);
    await machine.removeCgroup(record.id).catch(live.ports.onFailure);
    const failure = startFailure(error, 'failed to create task for container: ');
    const exitCode = failure.data.exitCode;
    await live.registry.setState(record.id, {
      error: failure.message,
      exitCode: typeof exitCode === 'number' ? exitCode : 128,
    });
    throw failure;
  }
}

async function launched(
  live: LiveContainers,
  machine: Machine,
  record: ContainerRecord,
  rootfs: Rootfs,
  process: Process,
  attachments: readonly Attachment[],
  change: { restartCount?: number; isManuallyStopped?: boolean },
): Promise<Started> {
  const { id, config } = record;
  const log = await live.openLog(id);
  const running = new RunningContainer({
    id,
    machine,
    process,
    union: rootfs.union,
    log,
    attachments,
    tell: (action, attributes = {}) => {
      if (live.registry.has(id)) live.emit(action, live.get(id), { attributes });
    },
  });
  if (!config.openStdin && !config.tty) process.closeInput();
  const startedAt = live.ports.now();
  const health = initialHealth(record);
  const state = {
    status: 'running',
    pid: process.pid,
    exitCode: 0,
    error: '',
    oomKilled: false,
    startedAt,
    finishedAt: 0,
    ...(health !== undefined && { health }),
  } as const;
  const stored = live.registry.setState(id, state, change).then(() => {
    live.volumes.announce('mount', record);
    live.emit('start', record);
    for (const { shownSize } of attachments) {
      if (shownSize !== undefined) live.emit('resize', record, { attributes: sizeAttributes(shownSize) });
    }
    if (!running.hasExited) live.health.start(id);
  });
  const started = {
    running,
    finished: finishContainer(live, { running, rootfs, stored, startAgain: () => startAgain(live, id) }),
  };
  live.started.set(id, started);
  live.files.forgetSize(id);
  try {
    await stored;
  } catch (error) {
    process.signal(SIGKILL);
    await started.finished;
    throw error;
  }
  return started;
}
