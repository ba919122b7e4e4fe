/* Network namespaces: the host's own, and those with a name that containers
 * are put into. All that returns an int returns 0 or an errno. */
#ifndef LAYERBOX_NETWORK_H
#define LAYERBOX_NETWORK_H

/* The name of the host's own. */
#define NETWORK_OF_HOST "host"

/* Brings lo up and, as Docker does, lets every user bind low ports and ping:
 * the namespace is the container's alone. Needs a writable /proc/sys. */
void network_start(void);

/* Takes hold of the host's namespace; before any other is made. */
void network_prepare(void);

/* A namespace with lo alone. It is there until it is removed and the last
 * process in it has ended. */
int network_make(const char *name);
int network_remove(const char *name);

/* Its descriptor, or -1. */
int network_find(const char *name);

/* Runs `act` inside of the namespace. */
int network_inside(const char *name, int (*act)(void));

#endif
