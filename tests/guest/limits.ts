/**
 * Where the machine's answer is not Linux's own, each with the reason. Only a limit of 9P2000.L or of the
 * kernel's 9P client is one. A limit that is gone fails the test as much as a new departure does.
 */

import type { Place } from './suite.ts';

export interface Limit {
  readonly group: string;
  readonly title: string;
  /** The lines of the case that it shows in, with what comes instead. */
  readonly lines: readonly (readonly [line: string, got: string])[];
  /** Undefined: wherever what it is about lies. */
  readonly places?: readonly Place[];
  readonly why: string;
}

export const LIMITS: readonly Limit[] = [
  {
    group: 'handles',
    title: 'gives space to a file',
    lines: [
      ['fallocate a 0 8192 0 -> ok', 'EOPNOTSUPP'],
      ['stat f -> file 0644 0:0 links 1 size 8192', 'file 0644 0:0 links 1 size 4'],
      ['fallocate a 0 2 3 -> ok', 'EOPNOTSUPP'],
      ['pread a 4 0 -> "\\x00\\x00xt"', '"text"'],
    ],
    why: '9P2000.L has no message for fallocate(2), and v9fs_file_operations_dotl (fs/9p/vfs_file.c) no such operation. posix_fallocate(3) then writes.',
  },
  {
    group: 'open',
    title: 'without a name',
    lines: [['open a d RDWR TMPFILE 0600 -> ok', 'EOPNOTSUPP']],
    why: '9P2000.L makes files by name only (Tlcreate), and v9fs_dir_inode_operations_dotl (fs/9p/vfs_inode_dotl.c) has no tmpfile. Programs then make a file and remove its name.',
  },
  {
    group: 'rename',
    title: 'without replacing',
    lines: [
      ['rename f h 1 -> ok', 'EINVAL'],
      ['ls . -> 2 "g"f "h"f', '2 "f"f "g"f'],
    ],
    why: 'Trenameat has no flags; v9fs_vfs_rename (fs/9p/vfs_inode.c) refuses any.',
  },
  {
    group: 'rename',
    title: 'of two for each other',
    lines: [
      ['rename f d 2 -> ok', 'EINVAL'],
      ['ls . -> 2 "d"f "f"d', '2 "d"d "f"f'],
    ],
    why: 'Trenameat has no flags; v9fs_vfs_rename (fs/9p/vfs_inode.c) refuses any.',
  },
];
