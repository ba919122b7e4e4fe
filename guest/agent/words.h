/* Word lists: `key=value` strings, each ended by NUL. */
#ifndef LAYERBOX_WORDS_H
#define LAYERBOX_WORDS_H

#include <stddef.h>

/* Splits the next word of *list in place and moves *list behind it. Returns the
 * key and sets *value, or returns NULL at the end. A word without `=` is passed
 * over, and so is a last one without NUL. */
char *words_next(char **list, const char *end, char **value);

/* The value of the first `key`, or `otherwise`; the list stays as it is. */
const char *words_value(const char *list, const char *end, const char *key,
			const char *otherwise);

#endif
