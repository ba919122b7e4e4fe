#include "output.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "docker.h"

/* A pipe that poll calls writable has room for this much. Making stdout
 * non-blocking instead would make it so for the shell that shares it. */
#define PIECE 4096
#define CREDIT_BATCH (WINDOW / 4)

struct piece {
	struct piece *next;
	int fd;
	uint32_t length, written;
	char bytes[];
};

static struct piece *first, **last = &first;
static uint32_t uncredited;

void output_add(uint8_t stream, const char *bytes, uint32_t length)
{
	struct piece *piece = malloc(sizeof *piece + length);

	if (!piece)
		docker_fail("out of memory");
	piece->next = NULL;
	piece->fd = stream == STREAM_ERR ? STDERR_FILENO : STDOUT_FILENO;
	piece->length = length;
	piece->written = 0;
	memcpy(piece->bytes, bytes, length);
	*last = piece;
	last = &piece->next;
}

int output_waits_for(void)
{
	return first ? first->fd : -1;
}

static void drop_first(void)
{
	struct piece *done = first;

	first = done->next;
	if (!first)
		last = &first;
	free(done);
}

void output_write(void)
{
	uint32_t rest = first->length - first->written;
	ssize_t n = write(first->fd, first->bytes + first->written,
			  rest < PIECE ? rest : PIECE);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0 && errno == EPIPE)
		docker_die_of_pipe();
	/* a stream that cannot be written, say a full disk, must not hold the rest
	 * up for ever */
	if (n < 0)
		n = rest;
	first->written += n;
	uncredited += n;
	if (first->written == first->length)
		drop_first();
	if (uncredited >= CREDIT_BATCH || !first) {
		connection_send(FRAME_CREDIT, 0, &uncredited, 4);
		uncredited = 0;
	}
}
