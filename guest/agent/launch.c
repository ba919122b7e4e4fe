#include "launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

int launch_parse(struct launch *l, const char *words, size_t length)
{
	size_t room = 1, argc = 0, envc = 0;
	char *key, *value, *list, *end;

	*l = (struct launch){
		.cwd = "/", .exec_channel = -1, .capabilities = UINT64_MAX,
	};
	for (size_t i = 0; i < length; i++)
		room += !words[i];
	l->text = malloc(length + 1);
	l->argv = calloc(room, sizeof *l->argv);
	l->env = calloc(room, sizeof *l->env);
	l->binds = calloc(room, sizeof *l->binds);
	if (!l->text || !l->argv || !l->env || !l->binds)
		return ENOMEM;
	memcpy(l->text, words, length);

	list = l->text;
	end = list + length;
	while ((key = words_next(&list, end, &value))) {
		if (strcmp(key, "argv") == 0) {
			l->argv[argc++] = value;
		} else if (strcmp(key, "env") == 0) {
			l->env[envc++] = value;
		} else if (strcmp(key, "bind") == 0) {
			l->bind_count += mount_parse_bind(&l->binds[l->bind_count], value);
		} else if (strcmp(key, "tmpfs") == 0) {
			mount_parse_tmpfs(&l->binds[l->bind_count++], value);
		} else if (strcmp(key, "program") == 0) {
			l->program = value;
		} else if (strcmp(key, "cwd") == 0) {
			l->cwd = value;
		} else if (strcmp(key, "uid") == 0) {
			l->uid = strtoul(value, NULL, 10);
		} else if (strcmp(key, "gid") == 0) {
			l->gid = strtoul(value, NULL, 10);
		} else if (strcmp(key, "groups") == 0) {
			l->groups = value;
		} else if (strcmp(key, "tty") == 0) {
			unsigned rows = 24, columns = 80;

			sscanf(value, "%u,%u", &rows, &columns);
			l->has_terminal = true;
			l->rows = rows;
			l->columns = columns;
		} else if (strcmp(key, "root") == 0) {
			l->root = value;
		} else if (strcmp(key, "hostname") == 0) {
			l->hostname = value;
		} else if (strcmp(key, "readonly") == 0) {
			l->is_read_only = strcmp(value, "1") == 0;
		} else if (strcmp(key, "cgroup") == 0) {
			l->cgroup = value;
		} else if (strcmp(key, "network") == 0) {
			l->network = value;
		} else if (strcmp(key, "exec") == 0) {
			l->exec_channel = atoi(value);
		} else if (strcmp(key, "capabilities") == 0) {
			l->capabilities = strtoull(value, NULL, 16);
		} else if (strcmp(key, "privileged") == 0) {
			l->is_privileged = strcmp(value, "1") == 0;
		} else if (strcmp(key, "rlimit") == 0) {
			rlimits_parse(l->rlimits, &l->rlimit_count, value);
		}
	}
	return argc ? 0 : EINVAL;
}

void launch_free(struct launch *l)
{
	free(l->text);
	free(l->argv);
	free(l->env);
	free(l->binds);
}
