/* cgroup v2: one group for each container, /sys/fs/cgroup/layerbox/<name>. */
#ifndef LAYERBOX_CGROUP_H
#define LAYERBOX_CGROUP_H

#include <stdbool.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_PARENT CGROUP_ROOT "/layerbox"

void cgroup_prepare(void);

/* Makes the group if it is missing. Returns a descriptor of its folder, or -1
 * and errno. */
int cgroup_open(const char *name);

/* These wait for the kernel: call them in a process of their own. They return 0
 * or an errno. */
int cgroup_freeze(const char *name, bool frozen);
/* Kills what is left in it. */
int cgroup_remove(const char *name);

#endif
