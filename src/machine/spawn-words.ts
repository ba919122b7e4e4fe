/** What to start, in the words of a SPAWN frame (guest/agent/protocol.h). */

import type { SpawnSpec } from '../engine/container/machine.ts';
import { GuestProcess } from './guest-process.ts';
import type { Word } from './protocol.ts';

/** Where the guest mounts the export. */
export const EXPORT = '/run/layerbox/export';
const UNIT_SEPARATOR = '\x1f';

/** TypeError for a spec that contradicts itself or names a process of another machine. */
export function spawnWords(spec: SpawnSpec): Word[] {
  const { container, inside, tty } = spec;
  if (spec.argv.length === 0) throw new TypeError('A program to start needs at least its name in argv.');
  if (container !== undefined && inside !== undefined) {
    throw new TypeError('A program runs in a new container or inside a running one, not both.');
  }
  const words: Word[] = [];
  for (const argument of spec.argv) words.push(['argv', argument]);
  for (const variable of spec.env) words.push(['env', variable]);
  words.push(['cwd', spec.cwd], ['uid', String(spec.uid)], ['gid', String(spec.gid)]);
  if (spec.groups !== undefined && spec.groups.length > 0) words.push(['groups', spec.groups.join(',')]);
  if (tty !== undefined) words.push(['tty', `${tty.rows},${tty.columns}`]);
  if (inside !== undefined) {
    if (!(inside instanceof GuestProcess)) throw new TypeError('That process is not one of this machine.');
    words.push(['exec', String(inside.channel)]);
  }
  if (container !== undefined) {
    words.push(['root', `${EXPORT}/${container.tree}`], ['hostname', container.hostname]);
    words.push(['cgroup', container.cgroup]);
    for (const { source, target, readOnly } of container.binds ?? []) {
      const parts = [source, target, readOnly ? 'ro' : 'rw'];
      if (parts.some((part) => part.includes(UNIT_SEPARATOR))) {
        throw new TypeError(`A bind's paths must not contain the character U+001F: ${source}`);
      }
      words.push(['bind', parts.join(UNIT_SEPARATOR)]);
    }
    if (container.readOnly === true) words.push(['readonly', '1']);
    if (container.capabilities !== undefined) words.push(['capabilities', container.capabilities]);
  }
  return words;
}
