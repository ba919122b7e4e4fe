/** What `docker events` tells: the events of containers, images, volumes and networks, the last of them kept. */

import type { EventStream, StampedEvent } from '../events.ts';
import { familiarReference, parseReference } from '../oci/reference.ts';

/** As Docker's API has it. */
export interface DockerEvent {
  readonly type: 'container' | 'image' | 'volume' | 'network';
  /** `start`, `exec_create: sh -c true`, `health_status: healthy`. */
  readonly action: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** moby, daemon/events: so many are kept for --since. */
const KEPT = 256;

export class EventHistory {
  readonly #kept: DockerEvent[] = [];
  readonly #listeners = new Set<(event: DockerEvent) => void>();
  readonly #events: EventStream;

  constructor(events: EventStream) {
    this.#events = events;
    events.subscribe((stamped) => {
      const event = dockerEvent(stamped);
      if (event === undefined) return;
      this.#kept.push(event);
      if (this.#kept.length > KEPT) this.#kept.shift();
      for (const listener of this.#listeners) listener(event);
    });
  }

  /** Those that are kept, oldest first. */
  get kept(): readonly DockerEvent[] {
    return [...this.#kept];
  }

  /** Tells that what nobody uses was removed, and how many bytes that gave back. */
  pruned(type: DockerEvent['type'], reclaimed: number): void {
    const what = { action: 'prune', attributes: { reclaimed: String(reclaimed) } } as const;
    if (type === 'image') this.#events.emit({ type, ...what, reference: '', imageID: '' });
    else if (type === 'volume') this.#events.emit({ type, ...what, name: '' });
    else this.#events.emit({ type, ...what, id: '', name: '' });
  }

  /** Returns what ends the subscription. */
  subscribe(listener: (event: DockerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}

/** The event in Docker's terms; undefined for what Docker has no event for. */
export function dockerEvent(event: StampedEvent): DockerEvent | undefined {
  const { at } = event;
  switch (event.type) {
    case 'container': {
      const { type, id, name, detail } = event;
      const action = detail === undefined ? event.action : `${event.action}: ${detail}`;
      return { type, action, id, attributes: event.attributes ?? { name }, at };
    }
    case 'image': {
      const { type, action, imageID, attributes = {} } = event;
      if (action === 'prune') return { type, action, id: '', attributes, at };
      const name = familiar(event.reference);
      // what goes to and comes from a registry is called by its name
      const isMoved = action === 'pull' || action === 'push';
      const repository = name.replace(/[:@][^/]*$/, '');
      return {
        type,
        action,
        id: isMoved ? name : imageID,
        attributes: { ...attributes, name: isMoved ? repository : name },
        at,
      };
    }
    case 'volume':
      return {
        type: event.type,
        action: event.action,
        id: event.name,
        attributes: event.attributes ?? {},
        at,
      };
    case 'network': {
      const { type, action, id, name, attributes = {} } = event;
      if (action === 'prune') return { type, action, id, attributes, at };
      return { type, action, id, attributes: { ...attributes, name }, at };
    }
    default:
      return undefined;
  }
}

function familiar(reference: string): string {
  try {
    return familiarReference(parseReference(reference));
  } catch {
    return reference; // an image without a name goes by its ID
  }
}
