/*
 * Zstandard (RFC 8878), through libzstd, block by block, so that what was decoded
 * before is the window and nothing is copied.
 */

#define ZSTD_STATIC_LINKING_ONLY
#include "codecs.h"
#include "decompress/zstd_decompress_internal.h"

enum { MAGIC_LENGTH = 4, SKIPPABLE_HEADER_LENGTH = 8 };

static enum { BETWEEN_FRAMES, IN_FRAME, IN_SKIPPABLE } state;
static struct ZSTD_DCtx_s context;
static ZSTD_frameHeader header;
static uint64_t limit;
static uint32_t skip_left;
static bool had_frame;
static size_t failure;

void zstd_start(uint64_t window_limit)
{
	ZSTD_initStaticDCtx(&context, sizeof context);
	header.windowSize = 0;
	state = BETWEEN_FRAMES;
	limit = window_limit;
	had_frame = false;
}

bool zstd_is_complete(void)
{
	return had_frame && state == BETWEEN_FRAMES;
}

uint64_t zstd_window(void)
{
	return header.windowSize;
}

const char *zstd_reason(void)
{
	return ZSTD_getErrorName(failure);
}

/* The decoder's pointers follow the output; what fell out below `base` can't be referred to. */
void zstd_moved(const uint8_t *base, size_t distance)
{
	const uint8_t *start = context.prefixStart;

	if (state != IN_FRAME || context.previousDstEnd == NULL)
		return;
	context.previousDstEnd = (const uint8_t *)context.previousDstEnd - distance;
	context.prefixStart = (size_t)(start - base) > distance ? start - distance : base;
	context.virtualStart = context.prefixStart;
	context.dictEnd = NULL;
}

static enum status start_frame(struct stream *s)
{
	size_t at_hand = s->in_end - s->in;
	size_t missing;

	if (at_hand < MAGIC_LENGTH)
		return NEED_INPUT;
	if ((MEM_readLE32(s->in) & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START) {
		if (at_hand < SKIPPABLE_HEADER_LENGTH)
			return NEED_INPUT;
		skip_left = MEM_readLE32(s->in + MAGIC_LENGTH);
		s->in += SKIPPABLE_HEADER_LENGTH;
		state = IN_SKIPPABLE;
		return NEED_INPUT;
	}
	if (MEM_readLE32(s->in) != ZSTD_MAGICNUMBER)
		return NO_FRAME;
	missing = ZSTD_getFrameHeader(&header, s->in, at_hand);
	if (ZSTD_isError(missing)) {
		failure = missing;
		return ZSTD_FAILED;
	}
	if (missing > 0)
		return NEED_INPUT;
	if (header.windowSize > limit)
		return WINDOW_TOO_LARGE;
	if (header.dictID != 0)
		return NEEDS_DICTIONARY;
	ZSTD_decompressBegin(&context);
	state = IN_FRAME;
	return NEED_INPUT;
}

static enum status run_frame(struct stream *s)
{
	for (;;) {
		size_t wanted = ZSTD_nextSrcSizeToDecompress(&context);
		size_t written;

		if (wanted == 0) {
			had_frame = true;
			state = BETWEEN_FRAMES;
			return NEED_INPUT;
		}
		if ((size_t)(s->in_end - s->in) < wanted)
			return NEED_INPUT;
		if ((size_t)(s->out_end - s->out) < ZSTD_BLOCKSIZE_MAX + WILDCOPY_OVERLENGTH)
			return NEED_OUTPUT;
		written = ZSTD_decompressContinue(&context, s->out, s->out_end - s->out, s->in, wanted);
		if (ZSTD_isError(written)) {
			failure = written;
			return ZSTD_FAILED;
		}
		s->in += wanted;
		s->out += written;
	}
}

enum status zstd_run(struct stream *s)
{
	for (;;) {
		enum status status = NEED_INPUT;

		if (state == IN_SKIPPABLE) {
			size_t step = s->in_end - s->in;

			if (step > skip_left)
				step = skip_left;
			s->in += step;
			skip_left -= step;
			if (skip_left > 0)
				return NEED_INPUT;
			had_frame = true;
			state = BETWEEN_FRAMES;
			continue;
		}
		if (state == IN_FRAME) {
			status = run_frame(s);
			if (status != NEED_INPUT || state == IN_FRAME)
				return status;
			continue;
		}
		if (s->in == s->in_end)
			return NEED_INPUT;
		status = start_frame(s);
		if (status != NEED_INPUT || state == BETWEEN_FRAMES)
			return status;
	}
}
