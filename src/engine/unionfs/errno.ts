/** POSIX error numbers as Linux on x86 has them (asm-generic/errno-base.h, errno.h), and the error that carries one. */

export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EMLINK: 31,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EPROTO: 71,
  EOPNOTSUPP: 95,
  ESTALE: 116,
} as const;

export type Errno = keyof typeof ERRNO;

/** A filesystem operation that failed as POSIX says it must. */
export class FsError extends Error {
  readonly errno: Errno;

  constructor(errno: Errno, what = '', options?: { cause?: unknown }) {
    super(what === '' ? errno : `${errno}: ${what}`, options);
    this.name = 'FsError';
    this.errno = errno;
  }

  get number(): number {
    return ERRNO[this.errno];
  }
}
