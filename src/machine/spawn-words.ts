/** What to start, in the words of a SPAWN frame (guest/agent/protocol.h). */

import type { Bind, SpawnSpec, TmpfsMount } from '../engine/container/machine.ts';
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
  if (spec.network !== undefined) words.push(['network', spec.network]);
  if (inside !== undefined) {
    if (!(inside instanceof GuestProcess)) throw new TypeError('That process is not one of this machine.');
    words.push(['exec', String(inside.channel)]);
    if (spec.capabilities !== undefined) words.push(['capabilities', spec.capabilities]);
  }
  if (spec.program !== undefined) words.push(['program', spec.program], ['cgroup', '']);
  for (const { resource, soft, hard } of spec.rlimits ?? []) {
    words.push(['rlimit', `${resource},${soft},${hard}`]);
  }
  if (container !== undefined) {
    words.push(['root', `${EXPORT}/${container.tree}`], ['hostname', container.hostname]);
    if (spec.program === undefined) words.push(['cgroup', container.cgroup]);
    for (const mount of container.binds ?? []) words.push(mountWord(mount));
    if (container.readOnly === true) words.push(['readonly', '1']);
    if (container.privileged === true) words.push(['privileged', '1']);
    if (container.capabilities !== undefined) words.push(['capabilities', container.capabilities]);
  }
  return words;
}

function mountWord(mount: Bind | TmpfsMount): Word {
  if ('tmpfs' in mount) return ['tmpfs', fields([mount.target, mount.options])];
  const { source, tree, target, readOnly } = mount;
  const options = [readOnly ? 'ro' : 'rw'];
  if (mount.isRecursive === false) options.push('nonrecursive');
  if (mount.isReadOnlyRecursive === false) options.push('nonrecursivero');
  if (mount.mustExist === true || tree !== undefined) options.push('mustexist');
  const from = tree === undefined ? [source, ''] : [`${EXPORT}/${tree}`, source];
  return ['bind', fields([from[0] ?? '', target, options.join(','), from[1] ?? ''])];
}

function fields(parts: readonly string[]): string {
  const wrong = parts.find((part) => part.includes(UNIT_SEPARATOR));
  if (wrong === undefined) return parts.join(UNIT_SEPARATOR);
  throw new TypeError(`A mount's paths must not contain the character U+001F: ${wrong}`);
}
