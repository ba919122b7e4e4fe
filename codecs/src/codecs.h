/* What the parts of codecs.wasm share. */

#ifndef CODECS_H
#define CODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name), visibility("default"))) name

/* Defined in memory.c; the compiler turns most uses into instructions. */
void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);
int memcmp(const void *a, const void *b, size_t length);

/*
 * Why decoding stopped. src/engine/archive/unpacker.ts has the same numbers, and a
 * sentence for each from BAD_HEADER on.
 */
enum status {
	NEED_INPUT,
	NEED_OUTPUT,
	BAD_HEADER,
	NO_MEMBER,
	BAD_METHOD,
	BAD_FLAGS,
	BAD_HEADER_CHECK,
	BAD_DATA,
	BAD_CHECK,
	BAD_LENGTH,
	NO_FRAME,
	WINDOW_TOO_LARGE,
	NEEDS_DICTIONARY,
	ZSTD_FAILED,
};

/* Compressed bytes at hand, and where what they decode to goes. Advanced by the decoders. */
struct stream {
	const uint8_t *in;
	const uint8_t *in_end;
	uint8_t *out;
	uint8_t *out_end;
};

uint32_t crc32_update(uint32_t crc, const uint8_t *bytes, size_t length);

void gzip_start(void);
enum status gzip_run(struct stream *stream);
bool gzip_is_complete(void);
/* The output has moved down by `distance`; below `base` there is nothing of it any more. */
void gzip_moved(const uint8_t *base, size_t distance);

void zstd_start(uint64_t window_limit);
enum status zstd_run(struct stream *stream);
bool zstd_is_complete(void);
void zstd_moved(const uint8_t *base, size_t distance);
/* Of the frame at hand, in bytes. */
uint64_t zstd_window(void);
const char *zstd_reason(void);

#endif
