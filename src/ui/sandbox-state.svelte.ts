/** What the page knows of its sandbox: read again when an event says that it changed, one reading at a time. */

import type { StampedEvent } from '../rpc/engine-types.ts';
import { LayerboxError } from '../rpc/engine-types.ts';
import type { ContainerSummary, ImageSummary, Sandbox } from '../rpc/sandbox.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { afterEvent, type Pulls } from './pulls.ts';

export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** The message as a sentence of the page: Docker's, and so ours, begin in lower case and have no stop. */
export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const sentence = `${message.slice(0, 1).toUpperCase()}${message.slice(1)}`.replace(/[^.!?\n]$/, '$&.');
  return { code: error instanceof LayerboxError ? error.code : 'Unknown', message: sentence };
}

type MachineStatus = Extract<StampedEvent, { type: 'machine' }>;

export class SandboxState {
  readonly sandbox: Sandbox;
  opening = $state<'opening' | 'open' | Failure>('opening');
  machine = $state.raw<Pick<MachineStatus, 'status' | 'how' | 'reason'>>({ status: 'off' });
  /** Undefined until they were read. */
  images = $state.raw<readonly ImageSummary[] | undefined>();
  containers = $state.raw<readonly ContainerSummary[] | undefined>();
  pulls = $state.raw<Pulls>({});
  storage = $state.raw<StorageUse | undefined>();
  /** Something did not fit, and nobody has looked since. */
  wasFull = $state(false);
  /** Why nothing is kept when this page is closed; undefined: it is. */
  notDurable = $state.raw<string | undefined>();
  #reserved = 0;
  /** Why the last reading failed. */
  failure = $state.raw<Failure | undefined>();
  /** Grows with each change of a container's files: what shows them reads again. */
  changes = $state.raw<Readonly<Record<string, number>>>({});

  constructor(sandbox: Sandbox, ready: Promise<void>) {
    this.sandbox = sandbox;
    sandbox.events().subscribe((event) => this.#take(event));
    sandbox.onLate((about) => {
      if (about.what === 'changes') this.#changed(about.of);
      else if (about.what !== 'files') this.refresh();
    });
    // `Up 2 minutes` grows old by itself
    setInterval(() => {
      const isRunning = this.containers?.some(({ status }) => status === 'running') ?? false;
      if (isRunning && document.visibilityState === 'visible') this.refresh();
    }, 20_000);
    ready.then(
      () => {
        this.opening = 'open';
        this.refresh();
      },
      (error: unknown) => {
        this.opening = failureOf(error);
      },
    );
  }

  /** Reads the lists again; while a reading is under way, once more after it. */
  readonly refresh = oneAtATime(() => this.#read());

  dismissPull(reference: string): void {
    const { [reference]: _, ...others } = this.pulls;
    this.pulls = others;
  }

  async #read(): Promise<void> {
    try {
      const [images, containers] = await Promise.all([this.sandbox.images(), this.sandbox.containers()]);
      this.images = images;
      this.containers = containers;
      this.storage = await storageUse(this.#reserved);
      this.failure = undefined;
    } catch (error) {
      this.failure = failureOf(error);
    }
  }

  #changed(container: string): void {
    this.changes = { ...this.changes, [container]: (this.changes[container] ?? 0) + 1 };
  }

  #take(event: StampedEvent): void {
    switch (event.type) {
      case 'machine':
        this.machine = event;
        break;
      case 'pull':
      case 'layer':
      case 'unreadable':
        this.pulls = afterEvent(this.pulls, event);
        if (event.type === 'pull' && event.status !== 'started') this.refresh();
        break;
      case 'change':
      case 'copy-up':
        this.#changed(event.container);
        this.refresh();
        break;
      case 'storage':
        if (event.action === 'memory') this.notDurable = event.reason;
        if (event.action === 'full') this.wasFull = true;
        if (event.action === 'reserve') this.#reserved = event.bytes;
        this.refresh();
        break;
      case 'ownership':
        this.opening = {
          code: 'SandboxInUse',
          message: 'Another tab of this browser has taken the sandbox over.',
        };
        break;
      case 'container':
      case 'image':
        this.refresh();
        break;
    }
  }
}

/** Bytes. */
interface StorageUse {
  /** What is kept. */
  readonly stored: number;
  /** What is held besides for when the browser is full. */
  readonly reserved: number;
  /** Both, as the browser counts. */
  readonly usage: number;
  readonly quota: number;
}

async function storageUse(reserved: number): Promise<StorageUse | undefined> {
  const { usage, quota } = (await navigator.storage?.estimate?.()) ?? {};
  if (usage === undefined || quota === undefined) return undefined;
  return { stored: Math.max(0, usage - reserved), reserved, usage, quota };
}
