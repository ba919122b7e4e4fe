/* Programs of other machines: the kernel hands them to `foreign`, which says so.
 * Without it a shell would read the binary as a script. */
#ifndef LAYERBOX_BINFMT_H
#define LAYERBOX_BINFMT_H

/* Needs /proc. */
void binfmt_register(void);

#endif
