/* Limits of setrlimit(2) that a SPAWN asks for. */
#ifndef LAYERBOX_RLIMITS_H
#define LAYERBOX_RLIMITS_H

#include <stddef.h>

struct rlimit_word {
	int resource;
	long long soft, hard; /* -1: none */
};

#define MAX_RLIMITS 16

/* Takes `resource,soft,hard`; what is not of that form is left out. */
void rlimits_parse(struct rlimit_word *words, size_t *count, const char *value);

/* Of the calling process. Returns -1 and errno. */
int rlimits_set(const struct rlimit_word *words, size_t count);

#endif
