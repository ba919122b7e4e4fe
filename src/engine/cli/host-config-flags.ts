/** Flags that say what the host grants a container: capabilities, limits, its init and its restart policy. */

import { parseRestartPolicy } from '../container/restart-policy.ts';
import { parseUlimit } from '../container/ulimits.ts';
import type { HostConfig, Ulimit } from '../store/container-record.ts';
import type { Flag } from './command.ts';
import { limitFlags, limitsOf } from './limit-flags.ts';
import type { ParsedFlags } from './parse.ts';
import { refusal } from './refusal.ts';

export const HOST_CONFIG_FLAGS: readonly Flag[] = [
  { long: 'cap-add', type: 'list', help: 'Add Linux capabilities' },
  { long: 'cap-drop', type: 'list', help: 'Drop Linux capabilities' },
  { long: 'group-add', type: 'list', help: 'Add additional groups to join' },
  {
    long: 'init',
    type: 'bool',
    help: 'Run an init inside the container that forwards signals and reaps processes',
  },
  ...limitFlags("Swap limit equal to memory plus swap: '-1' to enable unlimited swap"),
  { long: 'privileged', type: 'bool', help: 'Give extended privileges to this container' },
  { long: 'read-only', type: 'bool', help: "Mount the container's root filesystem as read only" },
  {
    long: 'restart',
    type: 'string',
    default: 'no',
    help: 'Restart policy to apply when a container exits',
  },
  {
    long: 'ulimit',
    type: 'list',
    typeName: 'ulimit',
    help: 'Ulimit options (default [])',
    check: (value) => {
      const ulimit = parseUlimit(value);
      return typeof ulimit === 'string' ? ulimit : undefined;
    },
  },
];

/** What the flags say. UsageError and LayerboxError in Docker's words. */
export function hostConfigOfFlags(flags: ParsedFlags): HostConfig {
  const restart = parseRestartPolicy(flags.string('restart'));
  if (flags.bool('rm') && restart.name !== 'no') {
    throw refusal('conflicting options: cannot specify both --restart and --rm');
  }
  return {
    restart,
    init: flags.bool('init'),
    readOnly: flags.bool('read-only'),
    privileged: flags.bool('privileged'),
    capAdd: flags.list('cap-add'),
    capDrop: flags.list('cap-drop'),
    groupAdd: flags.list('group-add'),
    ulimits: ulimitsOf(flags.list('ulimit')),
    limits: limitsOf(flags),
  };
}

/** Of a name that comes twice the last. */
function ulimitsOf(texts: readonly string[]): readonly Ulimit[] {
  const ulimits = new Map<string, Ulimit>();
  for (const text of texts) {
    const ulimit = parseUlimit(text);
    if (typeof ulimit !== 'string') ulimits.set(ulimit.name, ulimit);
  }
  return [...ulimits.values()];
}
