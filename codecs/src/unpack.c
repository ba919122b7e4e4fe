/*
 * One stream at a time, fed through `input_buffer`, whose output grows from the end of
 * this module's own memory upwards.
 */

#include "codecs.h"

/* More than a block of zstd with its header, which has to be there in one piece. */
#define INPUT_SIZE ((size_t)512 << 10)

static uint8_t input_buffer[INPUT_SIZE];
static struct stream stream;
static enum { GZIP, ZSTD } format;

uint8_t *EXPORT(input)(void) { return input_buffer; }
size_t EXPORT(input_size)(void) { return INPUT_SIZE; }

extern uint8_t __heap_base;
uint8_t *EXPORT(output)(void) { return (uint8_t *)(((size_t)&__heap_base + 4095) & ~(size_t)4095); }

void EXPORT(start_gzip)(void)
{
	format = GZIP;
	gzip_start();
}

void EXPORT(start_zstd)(double window_limit)
{
	format = ZSTD;
	zstd_start((uint64_t)window_limit);
}

/* Decodes the first `length` bytes of the input buffer to `out`; what follows `out_end` is not touched. */
int EXPORT(run)(size_t length, uint8_t *out, uint8_t *out_end)
{
	stream = (struct stream){ input_buffer, input_buffer + length, out, out_end };
	return format == GZIP ? gzip_run(&stream) : zstd_run(&stream);
}

/* How many bytes of the input `run` used; of its end, a part that must be given again is not counted. */
int EXPORT(consumed)(void) { return stream.in - input_buffer; }
uint8_t *EXPORT(output_end)(void) { return stream.out; }

/* The bytes from `from` to `end` go to the start of the output. */
void EXPORT(move)(const uint8_t *from, size_t length)
{
	uint8_t *base = output();

	memmove(base, from, length);
	if (format == GZIP)
		gzip_moved(base, from - base);
	else
		zstd_moved(base, from - base);
}

int EXPORT(is_complete)(void) { return format == GZIP ? gzip_is_complete() : zstd_is_complete(); }
double EXPORT(window)(void) { return format == GZIP ? 32768 : (double)zstd_window(); }
const char *EXPORT(reason)(void) { return zstd_reason(); }
