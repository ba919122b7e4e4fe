#include "buffer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *buffer_reserve(struct buffer *b, size_t length)
{
	if (b->end + length <= b->capacity)
		return b->bytes + b->end;

	if (b->start) {
		memmove(b->bytes, b->bytes + b->start, b->end - b->start);
		b->end -= b->start;
		b->start = 0;
	}
	if (b->end + length > b->capacity) {
		size_t capacity = b->capacity ? b->capacity : 4096;

		while (capacity < b->end + length)
			capacity *= 2;
		b->bytes = realloc(b->bytes, capacity);
		/* a machine whose first process has no memory is lost anyway */
		if (!b->bytes)
			_exit(1);
		b->capacity = capacity;
	}
	return b->bytes + b->end;
}

void buffer_append(struct buffer *b, const void *bytes, size_t length)
{
	if (!length)
		return;
	memcpy(buffer_reserve(b, length), bytes, length);
	b->end += length;
}

void buffer_consume(struct buffer *b, size_t length)
{
	b->start += length;
	if (b->start == b->end)
		b->start = b->end = 0;
}

void buffer_free(struct buffer *b)
{
	free(b->bytes);
	*b = (struct buffer){ 0 };
}
