/*
 * gzip (RFC 1952): members one after another, each with its header, its DEFLATE data
 * (RFC 1951, through libdeflate) and a trailer that is checked, then at most zeros.
 */

#include "codecs.h"

enum inflate_phase { INFLATE_AT_HEADER, INFLATE_IN_CODES, INFLATE_IN_STORED };
enum inflate_result { INFLATE_NEED_INPUT, INFLATE_NEED_OUTPUT, INFLATE_END, INFLATE_BAD_DATA };

#define FREESTANDING
#include "lib/deflate_decompress.c"

/* The checksum is made of what was just written while it is in the cache. */
#define SLICE ((size_t)128 << 10)
/* With less room than this a match of any length might not fit. */
#define LEAST_ROOM ((size_t)1 << 10)

/* RFC 1952, 2.3.1 */
enum { HEADER_CHECK = 2, EXTRA = 4, NAME = 8, COMMENT = 16, RESERVED = 0xe0 };
enum { HEADER_LENGTH = 10, TRAILER_LENGTH = 8 };

static enum {
	BETWEEN_MEMBERS,
	IN_HEADER,
	IN_EXTRA_LENGTH,
	IN_EXTRA,
	IN_NAME,
	IN_COMMENT,
	IN_HEADER_CHECK,
	IN_DATA,
	IN_TRAILER,
	IN_PADDING,
} state;
static struct libdeflate_decompressor decompressor;
/* What was read of the part at hand: the fixed header, a length, a checksum, or the trailer. */
static uint8_t part[HEADER_LENGTH];
static unsigned part_length;
static uint8_t flags;
static uint32_t header_crc;
static unsigned extra_left;
static bool had_member;
static uint32_t crc;
/* Of the member's content, modulo 2^32. */
static uint32_t length;
/* Where the member's content starts, as far as it is still there. */
static const uint8_t *member;

void gzip_start(void)
{
	state = BETWEEN_MEMBERS;
	had_member = false;
}

bool gzip_is_complete(void)
{
	return had_member && (state == BETWEEN_MEMBERS || state == IN_PADDING);
}

void gzip_moved(const uint8_t *base, size_t distance)
{
	member = (size_t)(member - base) > distance ? member - distance : base;
}

static uint32_t little_endian(const uint8_t *bytes)
{
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Goes to the next part of the header that the member has, `from` or a later one. */
static void enter(int from)
{
	part_length = 0;
	if (from <= IN_EXTRA_LENGTH && flags & EXTRA)
		state = IN_EXTRA_LENGTH;
	else if (from <= IN_NAME && flags & NAME)
		state = IN_NAME;
	else if (from <= IN_COMMENT && flags & COMMENT)
		state = IN_COMMENT;
	else if (from <= IN_HEADER_CHECK && flags & HEADER_CHECK)
		state = IN_HEADER_CHECK;
	else
		state = IN_DATA;
}

/* One byte of the fixed header, refused as soon as it is wrong. */
static enum status take_fixed(struct stream *s)
{
	uint8_t byte = *s->in;

	part[part_length++] = byte;
	if (part_length == 2 && byte != 0x8b) {
		s->in -= 1;
		return had_member ? NO_MEMBER : BAD_HEADER;
	}
	if (part_length == 3 && byte != 8)
		return BAD_METHOD;
	if (part_length == 4 && byte & RESERVED)
		return BAD_FLAGS;
	if (part_length == HEADER_LENGTH) {
		flags = part[3];
		header_crc = crc32_update(0, part, HEADER_LENGTH);
		enter(IN_EXTRA_LENGTH);
	}
	return NEED_INPUT;
}

/* One byte of the header's other parts. */
static enum status take_optional(uint8_t byte)
{
	if (state != IN_HEADER_CHECK)
		header_crc = crc32_update(header_crc, &byte, 1);
	switch (state) {
	case IN_EXTRA_LENGTH:
		part[part_length++] = byte;
		if (part_length == 2) {
			extra_left = part[0] | part[1] << 8;
			if (extra_left > 0)
				state = IN_EXTRA;
			else
				enter(IN_NAME);
		}
		break;
	case IN_EXTRA:
		if (--extra_left == 0)
			enter(IN_NAME);
		break;
	case IN_NAME:
		if (byte == 0)
			enter(IN_COMMENT);
		break;
	case IN_COMMENT:
		if (byte == 0)
			enter(IN_HEADER_CHECK);
		break;
	default:
		part[part_length++] = byte;
		if (part_length == 2) {
			if ((part[0] | part[1] << 8) != (int)(header_crc & 0xffff))
				return BAD_HEADER_CHECK;
			enter(IN_DATA);
		}
	}
	return NEED_INPUT;
}

static void start_data(struct stream *s)
{
	decompressor.phase = INFLATE_AT_HEADER;
	decompressor.bits_used = 0;
	crc = 0;
	length = 0;
	member = s->out;
}

/* Inflates until the member's data ends, or the input, or the room. */
static enum status inflate(struct stream *s)
{
	for (;;) {
		size_t room = s->out_end - s->out;
		uint8_t *start = s->out;
		enum inflate_result result;

		if (room < LEAST_ROOM)
			return NEED_OUTPUT;
		result = inflate_resume(&decompressor, &s->in, s->in_end, member, &s->out,
					room < SLICE ? s->out_end : start + SLICE);
		crc = crc32_update(crc, start, s->out - start);
		length += s->out - start;
		if (result == INFLATE_BAD_DATA)
			return BAD_DATA;
		if (result == INFLATE_NEED_INPUT)
			return NEED_INPUT;
		if (result == INFLATE_END) {
			state = IN_TRAILER;
			part_length = 0;
			return NEED_INPUT;
		}
	}
}

static enum status take_trailer(struct stream *s)
{
	while (part_length < TRAILER_LENGTH) {
		if (s->in == s->in_end)
			return NEED_INPUT;
		part[part_length++] = *s->in++;
		if (part_length == 4 && little_endian(part) != crc)
			return BAD_CHECK;
	}
	if (little_endian(part + 4) != length)
		return BAD_LENGTH;
	had_member = true;
	state = BETWEEN_MEMBERS;
	return NEED_INPUT;
}

enum status gzip_run(struct stream *s)
{
	while (s->in != s->in_end) {
		enum status status = NEED_INPUT;

		switch (state) {
		case BETWEEN_MEMBERS:
			if (*s->in == 0x1f) {
				state = IN_HEADER;
				part_length = 0;
			} else if (had_member && *s->in == 0) {
				state = IN_PADDING;
			} else {
				return had_member ? NO_MEMBER : BAD_HEADER;
			}
			break;
		case IN_PADDING:
			if (*s->in != 0)
				return NO_MEMBER;
			s->in += 1;
			break;
		case IN_HEADER:
			status = take_fixed(s);
			if (status > NEED_OUTPUT)
				return status;
			s->in += 1;
			if (state == IN_DATA)
				start_data(s);
			break;
		case IN_DATA:
			status = inflate(s);
			if (status != NEED_INPUT || state == IN_DATA)
				return status;
			break;
		case IN_TRAILER:
			status = take_trailer(s);
			if (status != NEED_INPUT)
				return status;
			break;
		default:
			status = take_optional(*s->in);
			if (status > NEED_OUTPUT)
				return status;
			s->in += 1;
			if (state == IN_DATA)
				start_data(s);
		}
	}
	return NEED_INPUT;
}
