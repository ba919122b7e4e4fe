/**
 * Errors keep their class across a worker boundary. Comlink clones what was
 * thrown, and structured clone knows no classes of ours; this replaces its
 * handler for thrown values by one that sends `toJSON` and revives by code.
 */

import { type TransferHandler, transferHandlers } from 'comlink';
import { type ErrorData, errorFromJSON, LayerboxError } from '../engine/errors.ts';

/** What crosses the boundary when something was thrown. */
export type ThrownWire =
  | { readonly kind: 'layerbox'; readonly code: string; readonly message: string; readonly data: ErrorData }
  | { readonly kind: 'error'; readonly name: string; readonly message: string; readonly stack: string }
  | { readonly kind: 'value'; readonly value: unknown };

/** The plain form of anything that was thrown. */
export function thrownToWire(thrown: unknown): ThrownWire {
  if (thrown instanceof LayerboxError) return { kind: 'layerbox', ...thrown.toJSON() };
  if (thrown instanceof Error) {
    return { kind: 'error', name: thrown.name, message: thrown.message, stack: thrown.stack ?? '' };
  }
  return { kind: 'value', value: typeof thrown === 'function' ? String(thrown) : thrown };
}

const standard = [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];

/** What `thrownToWire` described: a class of ours, a standard error or DOMException, or the value itself. */
export function thrownFromWire(wire: ThrownWire): unknown {
  if (wire.kind === 'layerbox') return errorFromJSON(wire);
  if (wire.kind === 'value') return wire.value;
  if (wire.name === 'AbortError' || wire.name === 'TimeoutError' || wire.name === 'QuotaExceededError') {
    return new DOMException(wire.message, wire.name);
  }
  const Class = standard.find((candidate) => candidate.name === wire.name) ?? Error;
  const revived = new Class(wire.message);
  if (revived.name !== wire.name) revived.name = wire.name;
  revived.stack = wire.stack;
  return revived;
}

function isThrown(value: unknown): value is { readonly value: unknown } {
  return typeof value === 'object' && value !== null && 'value' in value;
}

let installed = false;

/** Both sides call it before the first message; more than once is no harm. */
export function installErrorTransfer(): void {
  if (installed) return;
  installed = true;
  const original = transferHandlers.get('throw');
  if (original === undefined) throw new TypeError('comlink has no handler for thrown values to replace');
  const handler: TransferHandler<unknown, ThrownWire> = {
    // Comlink marks what was thrown with a symbol that it keeps to itself: only its own test can tell
    canHandle: (value): value is unknown => original.canHandle(value),
    serialize: (marked) => [thrownToWire(isThrown(marked) ? marked.value : marked), []],
    deserialize: (wire) => {
      throw thrownFromWire(wire);
    },
  };
  transferHandlers.set('throw', handler);
}
