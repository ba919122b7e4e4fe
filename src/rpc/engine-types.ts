/** What of the engine the page may know: the words of events, and the classes of failures. */

export * from '../engine/errors.ts';
export type { LayerStatus, SandboxEvent, StampedEvent } from '../engine/events.ts';
