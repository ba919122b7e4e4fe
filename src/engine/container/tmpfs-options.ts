/** Options of a tmpfs, as Docker's daemon merges and checks them (moby, daemon/oci_linux.go and sys/mount). */

import { LayerboxError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { MountSpec } from '../store/container-mount.ts';
import { type MountPoint, NO_MOUNT } from './mount-point.ts';

/** Each flag with the one that it takes back. */
const FLAGS: Readonly<Record<string, string>> = {
  ro: 'rw',
  rw: 'ro',
  suid: 'nosuid',
  nosuid: 'suid',
  dev: 'nodev',
  nodev: 'dev',
  exec: 'noexec',
  noexec: 'exec',
  sync: 'async',
  async: 'sync',
  dirsync: '',
  atime: 'noatime',
  noatime: 'atime',
  diratime: 'nodiratime',
  nodiratime: 'diratime',
  relatime: 'norelatime',
  norelatime: 'relatime',
  strictatime: 'nostrictatime',
  nostrictatime: 'strictatime',
  defaults: '',
};
const KEYS = ['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol'];
const DEFAULTS = ['noexec', 'nosuid', 'nodev'];
/** Of these no mount here has any but the default. */
const PROPAGATIONS = [
  'private',
  'rprivate',
  'slave',
  'rslave',
  'shared',
  'rshared',
  'unbindable',
  'runbindable',
];

/** The options that the machine mounts it with: a later one takes an earlier one back. LayerboxError for one that is none. */
export function mergeTmpfsOptions(options: string): string {
  const merged: string[] = [];
  const take = (option: string) => {
    const [key = ''] = option.split('=', 1);
    const isFlag = Object.hasOwn(FLAGS, option);
    if (!isFlag && !(option.includes('=') && KEYS.includes(key))) {
      throw new LayerboxError(
        `invalid tmpfs option ["${option.split('=').map(printableName).join('" "')}"]`,
        {
          option,
        },
      );
    }
    const taken = merged.findIndex((other) =>
      isFlag ? other === option || other === FLAGS[option] : other.startsWith(`${key}=`),
    );
    if (taken >= 0) merged.splice(taken, 1);
    if (option !== 'defaults') merged.push(option);
  };
  for (const option of [...DEFAULTS, ...options.split(',')]) {
    if (option !== '' && !PROPAGATIONS.includes(option)) take(option);
  }
  return merged.join(',');
}

/** What `--mount type=tmpfs` says, in the words of `--tmpfs`. */
export function specTmpfsOptions(tmpfs: MountSpec['tmpfs'], readOnly: boolean): string {
  const options = readOnly ? ['ro'] : [];
  if (tmpfs !== undefined && tmpfs.mode !== 0) options.push(`mode=${tmpfs.mode.toString(8)}`);
  if (tmpfs !== undefined && tmpfs.sizeBytes !== 0) options.push(`size=${tmpfs.sizeBytes}`);
  return options.join(',');
}

/** The mount of a `--tmpfs PATH[:OPTIONS]`; `destination` is absolute and clean. */
export function tmpfsMount(destination: string, options: string): MountPoint {
  mergeTmpfsOptions(options);
  const readOnly = options.split(',').includes('ro');
  return { ...NO_MOUNT, type: 'tmpfs', destination, readOnly, options };
}
