/* A growing queue of bytes: appended at the end, consumed at the start. */
#ifndef LAYERBOX_BUFFER_H
#define LAYERBOX_BUFFER_H

#include <stddef.h>

struct buffer {
	char *bytes;
	size_t start, end, capacity;
};

static inline size_t buffer_length(const struct buffer *b)
{
	return b->end - b->start;
}

static inline char *buffer_head(const struct buffer *b)
{
	return b->bytes + b->start;
}

/* Makes room for `length` more bytes and returns where they go. */
char *buffer_reserve(struct buffer *b, size_t length);
void buffer_append(struct buffer *b, const void *bytes, size_t length);
void buffer_consume(struct buffer *b, size_t length);
void buffer_free(struct buffer *b);

#endif
