/* From the kernel's hands to a host on which containers can be made. */
#ifndef LAYERBOX_BOOT_H
#define LAYERBOX_BOOT_H

void boot(void);

#endif
