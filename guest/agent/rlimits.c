#include "rlimits.h"

#include <stdio.h>
#include <sys/resource.h>

void rlimits_parse(struct rlimit_word *words, size_t *count, const char *value)
{
	struct rlimit_word *word = &words[*count];

	if (*count < MAX_RLIMITS && sscanf(value, "%d,%lld,%lld", &word->resource,
					   &word->soft, &word->hard) == 3)
		++*count;
}

static rlim_t limit_of(long long value)
{
	return value < 0 ? RLIM_INFINITY : (rlim_t)value;
}

int rlimits_set(const struct rlimit_word *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct rlimit limit = { limit_of(words[i].soft),
					limit_of(words[i].hard) };

		if (setrlimit(words[i].resource, &limit) < 0)
			return -1;
	}
	return 0;
}
