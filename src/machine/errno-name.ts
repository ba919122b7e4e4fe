import { ERRNO, type Errno } from '../engine/unionfs/errno.ts';

const names = new Map<number, Errno>();
for (const name of Object.keys(ERRNO)) if (isErrno(name)) names.set(ERRNO[name], name);

function isErrno(name: string): name is Errno {
  return Object.hasOwn(ERRNO, name);
}

/** The name of a Linux error number; EIO for one that the engine does not use. */
export function errnoName(number: number): Errno {
  return names.get(number) ?? 'EIO';
}
