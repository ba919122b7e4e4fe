/** What a layer may have: beyond it is no image but an attack on memory or time. */

/** Entries, parents that the tar does not name included. Some 200 bytes of memory for a file and 350 for a directory while the index is built. */
export const maxEntries = 1_000_000;
/** Characters of names and link targets and bytes of attributes and sparse maps, of all entries together. */
export const maxStringLength = 128 << 20;
/** Names looked up on the way to parents and targets of links, through symlinks too, that are not known already. */
export const maxSteps = 20_000_000;
/** Bytes of a file, its holes included: as far as the guest reads. */
export const maxFileSize = 2 ** 43;
/** Linux's numbers of devices (MINORBITS in kdev_t.h): 12 bits and 20. */
export const maxDeviceMajor = 0xfff;
export const maxDeviceMinor = 0xf_ffff;
/** Directories one below the other: as many as a path of Linux has room for (PATH_MAX). */
export const maxDepth = 2048;
