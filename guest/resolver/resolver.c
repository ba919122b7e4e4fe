/* resolver: the ear of the DNS server at 127.0.0.11 in a container's network. It
 * knows no names: each query goes to the engine on standard output, and the
 * engine's answer comes on standard input.
 *
 *   resolver [ADDRESS...]       servers to ask what the engine does not know
 *
 * Both ways: u16 length | u16 slot | message[length], integers in network order.
 * At first the slot is 0xffff and the message empty: it listens. With 0x4000 in
 * the slot the query came over TCP, and its answer may be long. An empty answer
 * means that the servers named are to be asked, by the rules of the network that
 * this process is in. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ADDRESS "127.0.0.11"
#define PORT 53
#define READY 0xffff
#define OVER_TCP 0x4000
#define LARGEST 4096
#define HEADER 12          /* of a DNS message */
#define SLOTS 64
#define STREAMS 16
#define MOST_SERVERS 8
#define PATIENCE 4         /* seconds for a server that was asked */

/* A query that waits for its answer. */
static struct slot {
	bool is_used;
	int stream;        /* index into streams, or -1: it came as a datagram */
	struct sockaddr_in from;
	uint16_t length;
	unsigned char query[LARGEST];
	int server, asked; /* which server was asked last, on this socket; -1 */
	time_t since;
} slots[SLOTS];

/* A TCP connection: RFC 1035, section 4.2.2. One query of it at a time. */
static struct stream {
	int fd; /* 0: free */
	size_t length;
	unsigned char bytes[2 + LARGEST];
	bool waits;
	unsigned generation;
} streams[STREAMS];
static unsigned slot_generation[SLOTS];

static struct sockaddr_in servers[MOST_SERVERS];
static int server_count;
static int datagrams, connections;
static unsigned char from_engine[2 * (4 + LARGEST)];
static size_t from_engine_length;

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void write_all(int fd, const unsigned char *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			exit(1); /* the engine is gone */
		bytes += n;
		length -= n;
	}
}

static void tell(uint16_t slot, const unsigned char *message, uint16_t length)
{
	unsigned char frame[4 + LARGEST];

	frame[0] = length >> 8;
	frame[1] = length;
	frame[2] = slot >> 8;
	frame[3] = slot;
	memcpy(frame + 4, message, length);
	write_all(1, frame, 4 + length);
}

static void release(struct slot *slot)
{
	if (slot->asked >= 0)
		close(slot->asked);
	slot->asked = -1;
	slot->is_used = false;
}

/* The oldest gives way: its sender asks again. */
static struct slot *free_slot(void)
{
	struct slot *oldest = &slots[0];

	for (int i = 0; i < SLOTS; i++) {
		if (!slots[i].is_used)
			return &slots[i];
		if (slots[i].since < oldest->since)
			oldest = &slots[i];
	}
	release(oldest);
	return oldest;
}

static void ask(const unsigned char *query, size_t length, int stream,
		const struct sockaddr_in *from)
{
	struct slot *slot;

	if (length < HEADER)
		return;
	slot = free_slot();
	slot->is_used = true;
	slot->stream = stream;
	if (from)
		slot->from = *from;
	if (stream >= 0)
		slot_generation[slot - slots] = streams[stream].generation;
	slot->length = length;
	memcpy(slot->query, query, length);
	slot->server = -1;
	slot->asked = -1;
	slot->since = seconds();
	tell((slot - slots) | (stream >= 0 ? OVER_TCP : 0), query, length);
}

static void close_stream(struct stream *s)
{
	close(s->fd);
	s->fd = 0;
	s->generation++;
}

static void answer(struct slot *slot, const unsigned char *message,
		   size_t length)
{
	if (slot->stream < 0) {
		sendto(datagrams, message, length, MSG_DONTWAIT,
		       (void *)&slot->from, sizeof slot->from);
	} else {
		struct stream *s = &streams[slot->stream];
		unsigned char framed[2 + LARGEST] = { length >> 8, length };

		if (s->fd &&
		    s->generation == slot_generation[slot - slots]) {
			memcpy(framed + 2, message, length);
			if (send(s->fd, framed, 2 + length,
				 MSG_NOSIGNAL | MSG_DONTWAIT) !=
			    (ssize_t)(2 + length))
				close_stream(s);
			s->waits = false;
		}
	}
	release(slot);
}

/* SERVFAIL, RFC 1035, section 4.1.1. */
static void answer_failure(struct slot *slot)
{
	slot->query[2] = (slot->query[2] & 0x79) | 0x80;
	slot->query[3] = 0x82;
	answer(slot, slot->query, slot->length);
}

static void ask_next_server(struct slot *slot)
{
	if (slot->asked >= 0)
		close(slot->asked);
	slot->asked = -1;
	while (++slot->server < server_count) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC |
						 SOCK_NONBLOCK, 0);

		if (fd >= 0 &&
		    connect(fd, (void *)&servers[slot->server],
			    sizeof *servers) == 0 &&
		    send(fd, slot->query, slot->length, 0) >= 0) {
			slot->asked = fd;
			slot->since = seconds();
			return;
		}
		if (fd >= 0)
			close(fd);
	}
	answer_failure(slot);
}

static void hear_engine(void)
{
	size_t at = 0;
	ssize_t n = read(0, from_engine + from_engine_length,
			 sizeof from_engine - from_engine_length);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0)
		exit(0);
	from_engine_length += n;
	while (from_engine_length - at >= 4) {
		const unsigned char *frame = from_engine + at;
		size_t length = frame[0] << 8 | frame[1];
		size_t slot = (frame[2] << 8 | frame[3]) & ~OVER_TCP;

		if (length > LARGEST)
			exit(1);
		if (from_engine_length - at < 4 + length)
			break;
		at += 4 + length;
		if (slot >= SLOTS || !slots[slot].is_used)
			continue;
		/* the slot may have a newer query by now: RFC 1035's ID tells */
		if (length && memcmp(frame + 4, slots[slot].query, 2) != 0)
			continue;
		if (length)
			answer(&slots[slot], frame + 4, length);
		else
			ask_next_server(&slots[slot]);
	}
	memmove(from_engine, from_engine + at, from_engine_length - at);
	from_engine_length -= at;
}

static void hear_server(struct slot *slot)
{
	unsigned char message[LARGEST];
	ssize_t n = recv(slot->asked, message, sizeof message, 0);

	if (n >= HEADER && memcmp(message, slot->query, 2) == 0)
		answer(slot, message, n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		ask_next_server(slot);
}

static void hear_datagram(void)
{
	unsigned char query[LARGEST];
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(datagrams, query, sizeof query, MSG_DONTWAIT,
			     (void *)&from, &size);

	if (n > 0)
		ask(query, n, -1, &from);
}

static void accept_stream(void)
{
	int fd = accept4(connections, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	for (int i = 0; i < STREAMS; i++) {
		if (streams[i].fd)
			continue;
		streams[i].fd = fd;
		streams[i].length = 0;
		streams[i].waits = false;
		return;
	}
	close(fd);
}

static void hear_stream(struct stream *s)
{
	ssize_t n = read(s->fd, s->bytes + s->length, sizeof s->bytes - s->length);
	size_t wanted;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close_stream(s);
		return;
	}
	s->length += n;
	if (s->length < 2)
		return;
	wanted = s->bytes[0] << 8 | s->bytes[1];
	if (wanted > LARGEST) {
		close_stream(s);
		return;
	}
	if (s->length < 2 + wanted)
		return;
	s->waits = true;
	ask(s->bytes + 2, wanted, s - streams, NULL);
	s->length -= 2 + wanted;
	memmove(s->bytes, s->bytes + 2 + wanted, s->length);
}

static int listen_at(int type)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(PORT) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, ADDRESS, &address.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, (void *)&address, sizeof address) < 0 ||
	    (type == SOCK_STREAM && listen(fd, STREAMS) < 0)) {
		perror("resolver: " ADDRESS);
		exit(1);
	}
	return fd;
}

static void look_after_slots(void)
{
	time_t now = seconds();

	for (int i = 0; i < SLOTS; i++)
		if (slots[i].is_used && slots[i].asked >= 0 &&
		    now - slots[i].since >= PATIENCE)
			ask_next_server(&slots[i]);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc && server_count < MOST_SERVERS; i++) {
		struct sockaddr_in *server = &servers[server_count];

		server->sin_family = AF_INET;
		server->sin_port = htons(PORT);
		if (inet_pton(AF_INET, argv[i], &server->sin_addr) == 1)
			server_count++;
	}
	signal(SIGPIPE, SIG_IGN);
	datagrams = listen_at(SOCK_DGRAM);
	connections = listen_at(SOCK_STREAM);
	tell(READY, (const unsigned char *)"", 0);
	for (;;) {
		struct pollfd polls[3 + STREAMS + SLOTS] = {
			{ .fd = 0, .events = POLLIN },
			{ .fd = datagrams, .events = POLLIN },
			{ .fd = connections, .events = POLLIN },
		};
		bool waits_for_server = false;

		for (int i = 0; i < STREAMS; i++) {
			struct stream *s = &streams[i];

			polls[3 + i].fd = s->fd && !s->waits ? s->fd : -1;
			polls[3 + i].events = POLLIN;
		}
		for (int i = 0; i < SLOTS; i++) {
			bool waits = slots[i].is_used && slots[i].asked >= 0;

			polls[3 + STREAMS + i].fd = waits ? slots[i].asked : -1;
			polls[3 + STREAMS + i].events = POLLIN;
			waits_for_server |= waits;
		}
		if (poll(polls, sizeof polls / sizeof *polls,
			 waits_for_server ? 1000 : -1) < 0)
			continue;
		for (int i = 0; i < SLOTS; i++)
			if (polls[3 + STREAMS + i].revents &&
			    slots[i].is_used &&
			    slots[i].asked == polls[3 + STREAMS + i].fd)
				hear_server(&slots[i]);
		if (polls[0].revents)
			hear_engine();
		for (int i = 0; i < STREAMS; i++)
			if (polls[3 + i].revents && streams[i].fd &&
			    streams[i].fd == polls[3 + i].fd)
				hear_stream(&streams[i]);
		if (polls[1].revents)
			hear_datagram();
		if (polls[2].revents)
			accept_stream();
		look_after_slots();
	}
}
