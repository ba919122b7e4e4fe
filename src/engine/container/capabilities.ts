/** Capabilities of a container's programs: which Docker gives, and what --cap-add, --cap-drop and --privileged change. */

import { LayerboxError } from '../errors.ts';
import { printableName } from '../names.ts';

/** In the order of their numbers (linux/capability.h). */
const NAMES = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
).split(' ');

/** What Docker gives by default (moby, daemon/pkg/oci/caps/defaults.go). */
const DEFAULT_NAMES = (
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL ' +
  'AUDIT_WRITE'
).split(' ');

const ALL = 'ALL';

export interface CapabilityChanges {
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
}

/** `CAP_NET_ADMIN` of `net_admin`; `ALL` of `all`. LayerboxError in Docker's words; `field` is CapAdd or CapDrop. */
export function normalizeCapability(name: string, field: string): string {
  const upper = name.toUpperCase();
  if (upper === ALL) return ALL;
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (NAMES.includes(full.slice('CAP_'.length))) return full;
  throw new LayerboxError(`invalid ${field}: unknown capability: "${printableName(full)}"`, {
    capability: name,
  });
}

/**
 * The set as a hexadecimal mask, bit n for capability n. The rules are moby's (caps.TweakCapabilities): a drop of ALL
 * leaves what is added, an addition of ALL leaves out what is dropped. LayerboxError for a name that is none.
 */
export function capabilityMask({ privileged, capAdd, capDrop }: CapabilityChanges): string {
  const added = capAdd.map((name) => normalizeCapability(name, 'CapAdd'));
  const dropped = capDrop.map((name) => normalizeCapability(name, 'CapDrop'));
  const all = NAMES.map((name) => `CAP_${name}`);
  if (privileged) return maskOf(all);
  if (dropped.includes(ALL)) return maskOf(added.includes(ALL) ? all : added);
  const base = added.includes(ALL) ? all : [...DEFAULT_NAMES.map((name) => `CAP_${name}`), ...added];
  // what is both added and dropped is added
  const kept = base.filter((name) => !dropped.includes(name) || added.includes(name));
  return maskOf(kept);
}

/** All that there are: of --privileged. */
export const ALL_CAPABILITIES = capabilityMask({ privileged: true, capAdd: [], capDrop: [] });

function maskOf(names: readonly string[]): string {
  let mask = 0n;
  for (const name of names) mask |= 1n << BigInt(NAMES.indexOf(name.slice('CAP_'.length)));
  return mask.toString(16);
}
