/* What a SPAWN asks for, as the parent parses it and the child carries it out. */
#ifndef LAYERBOX_LAUNCH_H
#define LAYERBOX_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct bind {
	const char *source, *target;
	bool is_read_only;
};

struct launch {
	char **argv, **env;
	struct bind *binds;
	size_t bind_count;
	const char *cwd, *groups, *root, *hostname, *cgroup;
	uid_t uid;
	gid_t gid;
	bool has_terminal, is_read_only;
	uint16_t rows, columns;
	int exec_channel; /* -1: none */
	uint64_t capabilities;
	char *text;       /* what all of the above points into */
};

/* Fails with EINVAL on a list without argv. Returns 0 or an errno. */
int launch_parse(struct launch *launch, const char *words, size_t length);
void launch_free(struct launch *launch);

#endif
