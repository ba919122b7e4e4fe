/**
 * Snapshots of a booted machine: which one fits, and how machine.json tells.
 * A snapshot depends on all that its key is made of; one that is not exactly
 * right is not used, and the machine boots.
 */

import { sha256 } from './assets.ts';
import { HARDWARE } from './emulator.ts';
import { PROTOCOL_VERSION } from './protocol.ts';
import { V86_VERSION } from './v86-module.ts';

export const COMMAND_LINE = 'console=ttyS0 quiet panic=0 tsc=reliable mitigations=off random.trust_cpu=on';
export const DEFAULT_MEMORY_MB = 128;

/** machine.json */
export interface SnapshotRecord {
  readonly key: string;
  /** The file of the gzipped state, in the same folder. */
  readonly state: string;
  /** Bytes of that file, and of the state in it. */
  readonly compressedSize: number;
  readonly size: number;
  readonly memoryMB: number;
  /** SHA-256 of the unpacked vmlinux, and of v86.wasm. */
  readonly vmlinux: string;
  readonly wasm: string;
  readonly v86: string;
}

export interface SnapshotInputs {
  /** SHA-256 of the unpacked vmlinux: how it is packed changes nothing, and hosts may unpack it. */
  readonly vmlinux: string;
  readonly wasm: string;
  readonly memoryMB: number;
}

/** The key that a snapshot of these has: a SHA-256. */
export function snapshotKey({ vmlinux, wasm, memoryMB }: SnapshotInputs): Promise<string> {
  const inputs = [vmlinux, wasm, memoryMB, V86_VERSION, COMMAND_LINE, PROTOCOL_VERSION, HARDWARE];
  return sha256(new TextEncoder().encode(JSON.stringify(inputs)));
}

/** The record in machine.json, undefined when it is none. */
export function parseSnapshotRecord(bytes: Uint8Array): SnapshotRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    // a host that answers what is missing with a page of HTML
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return isSnapshotRecord(value) ? value : undefined;
}

function isSnapshotRecord(value: unknown): value is SnapshotRecord {
  if (typeof value !== 'object' || value === null) return false;
  const has = (name: string, type: 'string' | 'number') => typeof Reflect.get(value, name) === type;
  return (
    has('key', 'string') &&
    has('state', 'string') &&
    /^state-[0-9a-f]{12}\.bin\.gz$/.test(String(Reflect.get(value, 'state'))) &&
    has('compressedSize', 'number') &&
    has('size', 'number') &&
    has('memoryMB', 'number') &&
    has('vmlinux', 'string') &&
    has('wasm', 'string') &&
    has('v86', 'string')
  );
}
