/* The inside of a new container: its mounts, its /dev, its network. */
#ifndef LAYERBOX_CONTAINER_H
#define LAYERBOX_CONTAINER_H

struct launch;

/* Called in fresh namespaces; pivots into launch->root. Ends the child with
 * child_fail if the kernel refuses. */
void container_enter(const struct launch *launch);

#endif
