/* Who a process is: user, groups, capabilities. */
#ifndef LAYERBOX_IDENTITY_H
#define LAYERBOX_IDENTITY_H

struct launch;

/* Ends the child with child_fail if the kernel refuses. */
void identity_assume(const struct launch *launch);

#endif
