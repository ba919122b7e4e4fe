/* The network namespace of a container, or of the host. */
#ifndef LAYERBOX_NETWORK_H
#define LAYERBOX_NETWORK_H

/* Brings lo up and, as Docker does, lets every user bind low ports and ping:
 * the namespace is the container's alone. Needs a writable /proc/sys. */
void network_start(void);

#endif
