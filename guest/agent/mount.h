/* What is mounted into a container besides the system's own: binds and tmpfs. */
#ifndef LAYERBOX_MOUNT_H
#define LAYERBOX_MOUNT_H

#include <stdbool.h>
#include <stddef.h>

struct bind {
	const char *source; /* NULL: a tmpfs */
	const char *target;
	const char *options; /* words separated by commas */
	const char *within; /* a path in the source to mount instead of it; "" */
};

/* A path of the host's, the container's, options, and a path within the source,
 * separated by U+001F; the last two may be missing. False when it is none. */
bool mount_parse_bind(struct bind *bind, char *value);
/* A path of the container's and options. */
void mount_parse_tmpfs(struct bind *bind, char *value);

/* Takes hold of what is to be bound while the host's tree is still in sight.
 * Returns a descriptor each, -1 for a tmpfs. Does not return when it fails. */
int *mounts_open(const struct bind *binds, size_t count);

/* Called inside, in order: a later one may lie in one before. */
void mounts_attach(const struct bind *binds, size_t count, int *trees);

bool mount_make_read_only(const char *path, bool is_recursive);

#endif
