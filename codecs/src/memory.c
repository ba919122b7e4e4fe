/* The four functions that compilers may call on their own. */

#include "codecs.h"

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
	return __builtin_memcpy(to, from, length);
}

void *memmove(void *to, const void *from, size_t length)
{
	return __builtin_memmove(to, from, length);
}

void *memset(void *to, int byte, size_t length)
{
	return __builtin_memset(to, byte, length);
}

int memcmp(const void *a, const void *b, size_t length)
{
	const uint8_t *x = a, *y = b;

	for (; length > 0; x++, y++, length--)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}
