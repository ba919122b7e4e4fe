/** The flags of `docker create` and `docker run` that say what is mounted in a container. */

import { cleanPath } from '../container/mount-spec.ts';
import { UsageError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { MountRequests, MountSpec } from '../store/container-mount.ts';
import type { Flag } from './command.ts';
import { mountFault, parseMount } from './mount-flag.ts';
import type { ParsedFlags } from './parse.ts';
import { refusal } from './refusal.ts';

export const VOLUME_FLAGS: readonly Flag[] = [
  {
    long: 'mount',
    type: 'list',
    typeName: 'mount',
    help: 'Attach a filesystem mount to the container',
    check: mountFault,
  },
  { long: 'tmpfs', type: 'list', help: 'Mount a tmpfs directory' },
  { long: 'volume', short: 'v', type: 'list', help: 'Bind mount a volume' },
  { long: 'volume-driver', type: 'string', help: 'Optional volume driver for the container' },
  { long: 'volumes-from', type: 'list', help: 'Mount volumes from the specified container(s)' },
];

/** What the flags ask for; `cwd` is where a relative source of a bind starts. UsageError in Docker's words. */
export function mountRequests(flags: ParsedFlags, cwd: string): MountRequests {
  const binds: string[] = [];
  const volumes: string[] = [];
  for (const text of new Set(flags.list('volume'))) {
    if (splitVolume(text).length === 1) volumes.push(text);
    else binds.push(absoluteBind(text, cwd));
  }
  return {
    binds,
    volumes,
    mounts: flags.list('mount').map((text) => specOf(text, cwd)),
    tmpfs: Object.fromEntries(flags.list('tmpfs').map(splitTmpfs)),
    volumesFrom: flags.list('volumes-from'),
    volumeDriver: flags.string('volume-driver'),
  };
}

function specOf(text: string, cwd: string): MountSpec {
  const spec = parseMount(text, cwd);
  if (typeof spec === 'string') throw new UsageError(spec);
  return spec;
}

/** The parts of a `-v`; what they mean is the daemon's to say. */
function splitVolume(text: string): readonly string[] {
  if (text === '') throw refusal('invalid empty volume spec');
  const parts = text.split(':');
  if (parts.length > 1 && parts.includes('')) {
    throw refusal(`invalid spec: ${printableName(text)}: empty section between colons`);
  }
  if (parts.length > 3) throw refusal(`invalid spec: ${printableName(text)}: too many colons`);
  return parts;
}

/** A source that starts with a dot is a path from where the client is. */
function absoluteBind(text: string, cwd: string): string {
  if (!text.startsWith('.')) return text;
  const colon = text.indexOf(':');
  return `${cleanPath(`${cwd}/${text.slice(0, colon)}`)}${text.slice(colon)}`;
}

function splitTmpfs(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}
