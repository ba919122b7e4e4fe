/**
 * The typed event stream: what happens in the sandbox, in order, for the page,
 * the explorer and tests. An event is plain data.
 */

export type LayerStatus =
  | 'waiting'
  /** Its table of contents is here: files are fetched when they are touched, the rest comes behind. */
  | 'readable'
  | 'downloading'
  | 'verifying'
  | 'extracting'
  | 'complete'
  | 'exists'
  | 'failed';

/** What `docker events` says of the object besides its ID: its name, image, labels, and what belongs to the action. */
export type EventAttributes = Readonly<Record<string, string>>;

/** As Docker's daemon names them (moby, api/types/events). */
export type ContainerAction =
  | 'archive-path'
  | 'attach'
  | 'commit'
  | 'create'
  | 'destroy'
  | 'detach'
  | 'die'
  | 'exec_create'
  | 'exec_detach'
  | 'exec_die'
  | 'exec_start'
  | 'export'
  | 'extract-to-dir'
  | 'health_status'
  | 'kill'
  | 'oom'
  | 'pause'
  | 'prune'
  | 'rename'
  | 'resize'
  | 'restart'
  | 'start'
  | 'stop'
  | 'top'
  | 'unpause'
  | 'update';

export type SandboxEvent =
  | {
      readonly type: 'machine';
      readonly status: 'off' | 'starting' | 'running' | 'failed' | 'closed';
      readonly how?: 'boot' | 'restore';
      readonly reason?: string;
    }
  | {
      readonly type: 'request';
      readonly method: string;
      readonly url: string;
      readonly status: number;
      readonly milliseconds: number;
    }
  | {
      /** A request failed in a way that may pass, and is made again after so many milliseconds. */
      readonly type: 'retry';
      readonly method: string;
      readonly url: string;
      /** 0: there was no answer, or its connection broke. */
      readonly status: number;
      /** 1 for the first repetition. */
      readonly attempt: number;
      readonly wait: number;
      readonly reason: string;
    }
  | {
      readonly type: 'pull';
      readonly reference: string;
      /** `runnable`: the image can be run, though not all of it is here. */
      readonly status: 'started' | 'runnable' | 'complete' | 'failed' | 'cancelled';
      readonly layers?: readonly {
        readonly digest: string;
        readonly diffID: string;
        readonly size: number;
      }[];
      readonly message?: string;
    }
  | {
      readonly type: 'layer';
      readonly reference: string;
      readonly digest: string;
      readonly diffID: string;
      readonly status: LayerStatus;
      readonly bytes: number;
      readonly total: number;
    }
  | {
      /** Content of a layer that is still coming did not come, or was not what it should be: its readers have an error. */
      readonly type: 'unreadable';
      readonly digest: string;
      readonly path: string;
      readonly message: string;
    }
  | {
      readonly type: 'image';
      readonly action: 'pull' | 'push' | 'tag' | 'untag' | 'delete' | 'import' | 'load' | 'save' | 'prune';
      readonly reference: string;
      readonly imageID: string;
      readonly attributes?: EventAttributes;
    }
  | {
      readonly type: 'container';
      readonly action: ContainerAction;
      readonly id: string;
      readonly name: string;
      readonly exitCode?: number;
      /** Behind the action's name: the command of an exec, the health. */
      readonly detail?: string;
      readonly attributes?: EventAttributes;
    }
  | {
      readonly type: 'volume';
      readonly action: 'create' | 'mount' | 'unmount' | 'destroy' | 'prune';
      readonly name: string;
      readonly attributes?: EventAttributes;
    }
  | {
      readonly type: 'network';
      readonly action: 'create' | 'connect' | 'disconnect' | 'destroy' | 'remove' | 'prune';
      readonly id: string;
      readonly name: string;
      readonly attributes?: EventAttributes;
    }
  | { readonly type: 'copy-up'; readonly container: string; readonly path: string; readonly from: string }
  | { readonly type: 'change'; readonly container: string }
  | { readonly type: 'storage'; readonly action: 'reclaimed'; readonly bytes: number }
  /** Something did not fit into what the browser gives. */
  | { readonly type: 'storage'; readonly action: 'full' }
  /** Bytes of what the browser gives that are held for when it is full. They count as used, and nothing is in them. */
  | { readonly type: 'storage'; readonly action: 'reserve'; readonly bytes: number }
  /** The browser gives no storage: what is made here ends with the page. */
  | { readonly type: 'storage'; readonly action: 'memory'; readonly reason: string }
  /** Another tab has taken the sandbox over: nothing works here any more. */
  | { readonly type: 'ownership'; readonly status: 'lost' };

export type StampedEvent = SandboxEvent & {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** 1, 2, 3 ... within one opening of the sandbox. */
  readonly sequence: number;
};

export interface EventSource {
  /** Every event from now on, until the signal is aborted; a slow reader loses none. */
  subscribe(listener: (event: StampedEvent) => void): () => void;
}

/** The stream and the way into it. */
export class EventStream implements EventSource {
  readonly #listeners = new Set<(event: StampedEvent) => void>();
  readonly #now: () => number;
  #sequence = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  emit(event: SandboxEvent): void {
    this.#sequence += 1;
    const stamped: StampedEvent = { ...event, at: this.#now(), sequence: this.#sequence };
    for (const listener of this.#listeners) listener(stamped);
  }

  /** Returns what ends the subscription. */
  subscribe(listener: (event: StampedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
