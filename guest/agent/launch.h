/* What a SPAWN asks for, as the parent parses it and the child carries it out. */
#ifndef LAYERBOX_LAUNCH_H
#define LAYERBOX_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mount.h"
#include "rlimits.h"

struct launch {
	char **argv, **env;
	struct bind *binds;
	size_t bind_count;
	const char *cwd, *groups, *root, *hostname, *cgroup, *network;
	const char *program; /* of the host's, run in place of argv[0]; NULL */
	uid_t uid;
	gid_t gid;
	bool has_terminal, is_read_only, is_privileged;
	uint16_t rows, columns;
	int exec_channel; /* -1: none */
	uint64_t capabilities;
	struct rlimit_word rlimits[MAX_RLIMITS];
	size_t rlimit_count;
	char *text;       /* what all of the above points into */
};

/* Fails with EINVAL on a list without argv. Returns 0 or an errno. */
int launch_parse(struct launch *launch, const char *words, size_t length);
void launch_free(struct launch *launch);

#endif
