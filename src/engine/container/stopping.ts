/** How containers stop: asked by a signal, killed, or to be started anew. */

import { waitForEnd } from './finishing.ts';
import type { LiveContainers } from './live-containers.ts';
import { startTimer } from './long-timer.ts';
import { unpauseContainer } from './pausing.ts';
import { notRunning, type RunningContainer } from './running.ts';
import { parseSignal, SIGKILL, SIGTERM } from './signals.ts';
import { startContainer } from './starting.ts';

/** Seconds that Docker gives a program between the stop signal and SIGKILL. */
const STOP_TIMEOUT = 10;

export interface StopOptions {
  /** Its name or number. Default: that of the container, else SIGTERM. */
  readonly signal?: string;
  /** Seconds. Default: that of the container, else ten. */
  readonly timeout?: number;
}

/** The stop signal, then SIGKILL after `timeout` seconds (a negative one waits for ever). What does not run is left alone. */
export async function stopContainer(
  live: LiveContainers,
  id: string,
  options: StopOptions = {},
): Promise<void> {
  const { config } = live.get(id);
  const name = options.signal ?? config.stopSignal;
  const number = name === '' ? SIGTERM : parseSignal(name);
  const running = await holdBack(live, id);
  if (running === undefined) return;
  await sendSignal(live, running, id, number, true);
  const timeout = options.timeout ?? config.stopTimeout ?? STOP_TIMEOUT;
  const settled = waitForEnd(live, id);
  if (timeout >= 0) await killAfter(live, running, settled, timeout * 1000);
  await settled;
  if (live.registry.has(id)) live.emit('stop', live.get(id));
}

async function killAfter(
  live: LiveContainers,
  running: RunningContainer,
  settled: Promise<unknown>,
  milliseconds: number,
): Promise<void> {
  let stopTimer: () => void = () => undefined;
  const patience = new Promise<'late'>((resolve) => {
    stopTimer = startTimer(() => resolve('late'), milliseconds);
  });
  const first = await Promise.race([settled, patience]);
  stopTimer();
  if (first === 'late') await sendSignal(live, running, running.id, SIGKILL, true);
}

/** Its restart policy does not start it again. Resolves with what runs, if anything does. */
function holdBack(live: LiveContainers, id: string): Promise<RunningContainer | undefined> {
  live.restarts.cancel(id);
  return live.turns.take(id, async () => {
    if (live.get(id).state.status === 'restarting') await live.registry.setState(id, { status: 'exited' });
    const running = live.running(id);
    if (running !== undefined) await live.registry.change(id, { isManuallyStopped: true });
    return running;
  });
}

/** A paused program takes the signal when it goes on, which one that is to end does at once. */
async function sendSignal(
  live: LiveContainers,
  running: RunningContainer,
  id: string,
  number: number,
  ends: boolean,
): Promise<void> {
  running.process.signal(number);
  if (!live.registry.has(id)) return;
  live.emit('kill', live.get(id), { attributes: { signal: String(number) } });
  if (ends && live.get(id).state.status === 'paused') await unpauseContainer(live, id);
}

/** Sends a signal. LayerboxError in Docker's words when it does not run. SIGKILL waits for the end. */
export async function killContainer(live: LiveContainers, id: string, signal = 'KILL'): Promise<void> {
  const number = parseSignal(signal);
  if (live.get(id).state.status === 'restarting') {
    await holdBack(live, id);
    return;
  }
  const running = live.running(id);
  if (running === undefined) throw notRunning(id);
  const { stopSignal } = live.get(id).config;
  // as moby's killWithSignal: a signal that is not known for the one that ends it may leave it running
  const ends = stopSignal === '' || number === SIGKILL || parseSignal(stopSignal) === number;
  if (ends) live.restarts.cancel(id);
  await live.registry.change(id, { isManuallyStopped: true });
  await sendSignal(live, running, id, number, ends);
  if (number === SIGKILL) await waitForEnd(live, id);
}

/** Stops and starts; what did not run is only started. As `stopContainer` and `startContainer`. */
export async function restartContainer(
  live: LiveContainers,
  id: string,
  options: StopOptions = {},
): Promise<void> {
  live.kept.add(id);
  try {
    await stopContainer(live, id, options);
    await startContainer(live, id);
  } finally {
    live.kept.delete(id);
  }
  live.emit('restart', live.get(id));
}
