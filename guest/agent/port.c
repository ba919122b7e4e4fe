#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buffer.h"
#include "channel.h"
#include "event.h"

#define QUEUE_LIMIT 131072
#define WRITE_LIMIT 32768 /* what the driver takes in one piece */

static struct watch port;
static struct buffer queue, partial;
static bool was_full;
static void (*receive_frame)(const struct frame_header *, char *);

static void receive(void)
{
	/* The driver hands out one page at a time; a bound keeps a host that
	 * never stops from starving the processes. */
	for (int i = 0; i < 16; i++) {
		ssize_t n = read(port.fd, buffer_reserve(&partial, 4096), 4096);

		if (n <= 0)
			break;
		partial.end += n;
	}
	for (;;) {
		struct frame_header header;

		if (buffer_length(&partial) < sizeof header)
			return;
		memcpy(&header, buffer_head(&partial), sizeof header);
		if (buffer_length(&partial) < sizeof header + header.length)
			return;
		receive_frame(&header, buffer_head(&partial) + sizeof header);
		buffer_consume(&partial, sizeof header + header.length);
	}
}

static void ready(struct watch *watch, uint32_t events)
{
	(void)watch;
	if (events & EPOLLOUT)
		port_flush();
	if (events & EPOLLIN)
		receive();
}

bool port_open(void (*on_frame)(const struct frame_header *, char *))
{
	watch_init(&port, NULL, ready);
	receive_frame = on_frame;

	/* Its node appears when the handshake of the driver is done, some time
	 * after the first process starts. */
	for (int i = 0; i < 3000; i++) {
		for (int device = 0; device < 8; device++) {
			char path[32];

			snprintf(path, sizeof path, "/dev/vport%dp1", device);
			port.fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
			if (port.fd >= 0) {
				watch_for(&port, EPOLLIN);
				return true;
			}
		}
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
	return false;
}

void port_send(uint16_t channel, uint8_t type, uint8_t flag,
	       const void *payload, size_t length)
{
	struct frame_header header = { length, channel, type, flag };

	buffer_append(&queue, &header, sizeof header);
	buffer_append(&queue, payload, length);
}

void port_send_numbers(uint16_t channel, uint8_t type, uint32_t first,
		       uint32_t second)
{
	uint32_t numbers[2] = { first, second };

	port_send(channel, type, 0, numbers, sizeof numbers);
}

void port_send_failure(uint16_t channel, uint8_t type, uint32_t error, int code,
		       const char *text)
{
	char payload[MAX_PAYLOAD];
	uint32_t number = code;
	size_t head = code < 0 ? 4 : 8;
	size_t length = strnlen(text, sizeof payload - head);

	memcpy(payload, &error, 4);
	memcpy(payload + 4, &number, 4);
	memcpy(payload + head, text, length);
	port_send(channel, type, 0, payload, head + length);
}

void port_flush(void)
{
	while (buffer_length(&queue)) {
		size_t length = buffer_length(&queue);
		ssize_t n = write(port.fd, buffer_head(&queue),
				  length < WRITE_LIMIT ? length : WRITE_LIMIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buffer_consume(&queue, n);
	}
	watch_for(&port, EPOLLIN | (buffer_length(&queue) ? EPOLLOUT : 0));
	if (was_full && buffer_length(&queue) < QUEUE_LIMIT) {
		was_full = false;
		channels_wake();
	}
}

bool port_has_room(void)
{
	if (buffer_length(&queue) < QUEUE_LIMIT)
		return true;
	was_full = true;
	return false;
}
