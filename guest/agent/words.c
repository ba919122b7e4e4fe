#include "words.h"

#include <string.h>

char *words_next(char **list, const char *end, char **value)
{
	while (*list < end) {
		char *word = *list;
		char *stop = memchr(word, 0, end - word);
		char *equals;

		if (!stop)
			break;
		*list = stop + 1;
		equals = memchr(word, '=', stop - word);
		if (!equals)
			continue;
		*equals = 0;
		*value = equals + 1;
		return word;
	}
	return NULL;
}

const char *words_value(const char *list, const char *end, const char *key,
			const char *otherwise)
{
	size_t length = strlen(key);

	while (list < end) {
		const char *stop = memchr(list, 0, end - list);

		if (!stop)
			break;
		if (strncmp(list, key, length) == 0 && list[length] == '=')
			return list + length + 1;
		list = stop + 1;
	}
	return otherwise;
}
