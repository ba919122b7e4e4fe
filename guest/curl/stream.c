#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "curl.h"

static bool in_hosts(const char *host, struct in_addr *address)
{
	FILE *file = fopen("/etc/hosts", "re");
	char line[1024];
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file)) {
		char *rest = line;
		char *word;

		line[strcspn(line, "#\n")] = 0;
		word = strsep(&rest, " \t");
		if (!inet_aton(word, address))
			continue;
		while (!found && (word = strsep(&rest, " \t")))
			found = !strcasecmp(word, host);
	}
	if (file)
		fclose(file);
	return found;
}

/* Without a resolv.conf there is no name server, and asking one would take its time to fail. */
static int look_up(const char *host, struct in_addr *address)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;

	if (inet_aton(host, address) || in_hosts(host, address))
		return OK;
	if (!access("/etc/resolv.conf", R_OK) && !getaddrinfo(host, NULL, &hints, &found)) {
		*address = ((struct sockaddr_in *)found->ai_addr)->sin_addr;
		freeaddrinfo(found);
		return OK;
	}
	return fail(UNKNOWN_HOST, "Could not resolve host: %s", host);
}

/* 1: ready; 0: it took too long. */
static int wait_for(struct stream *stream, short events, double deadline)
{
	struct pollfd poll_fd = { stream->fd, events, 0 };

	for (;;) {
		double rest = deadline ? deadline - now() : 3600;
		int n = rest <= 0 ? 0 : poll(&poll_fd, 1, rest * 1000 + 1);

		if (n > 0)
			return 1;
		if (deadline && now() >= deadline)
			return 0;
	}
}

static int too_late(const struct stream *stream, const char *what)
{
	return fail(TIMED_OUT, "%s timed out after %.0f milliseconds", what,
		    (now() - stream->begun) * 1000);
}

int stream_open(struct stream *stream, const struct options *options,
		const char *host, int port, double begun)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	double deadline;
	socklen_t length = sizeof(int);
	int error = 0;
	int code;

	stream->start = stream->end = 0;
	stream->begun = begun;
	stream->deadline = options->max_time ? begun + options->max_time : 0;
	stream->fd = -1;
	code = look_up(host, &address.sin_addr);
	if (code)
		return code;
	if (options->verbose)
		fprintf(stderr, "*   Trying %s:%d...\n", inet_ntoa(address.sin_addr), port);
	deadline = options->connect_timeout ? now() + options->connect_timeout : 0;
	if (!deadline || (stream->deadline && stream->deadline < deadline))
		deadline = stream->deadline;
	stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connect(stream->fd, (void *)&address, sizeof address) < 0) {
		if (errno != EINPROGRESS)
			error = errno;
		else if (!wait_for(stream, POLLOUT, deadline))
			return too_late(stream, "Connection");
		else
			getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	}
	if (error)
		return fail(NOT_CONNECTED,
			    "Failed to connect to %s port %d after %.0f ms: Couldn't connect to server",
			    host, port, (now() - begun) * 1000);
	if (options->verbose)
		fprintf(stderr, "* Connected to %s (%s) port %d (#0)\n", host,
			inet_ntoa(address.sin_addr), port);
	return OK;
}

int stream_send(struct stream *stream, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length) {
		ssize_t n = send(stream->fd, at, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			if (!wait_for(stream, POLLOUT, stream->deadline))
				return too_late(stream, "Operation");
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(SEND_ERROR, "Send failure: %s", strerror(errno));
		at += n;
		length -= n;
	}
	return OK;
}

int stream_fill(struct stream *stream)
{
	if (stream->start < stream->end)
		return 0;
	stream->start = stream->end = 0;
	for (;;) {
		ssize_t n = recv(stream->fd, stream->bytes, sizeof stream->bytes, 0);

		if (n > 0) {
			stream->end = n;
			return 0;
		}
		if (n == 0)
			return -1;
		if (errno == EAGAIN && !wait_for(stream, POLLIN, stream->deadline))
			return too_late(stream, "Operation");
		if (errno != EAGAIN && errno != EINTR)
			return fail(RECEIVE_ERROR, "Recv failure: %s", strerror(errno));
	}
}

int stream_line(struct stream *stream, char *line, size_t size)
{
	size_t length = 0;

	for (;;) {
		int code = stream_fill(stream);
		char byte;

		if (code)
			return code;
		byte = stream->bytes[stream->start++];
		if (byte == '\n')
			break;
		if (length + 1 >= size)
			return fail(RECEIVE_ERROR, "Too large response headers: more than %zu in a line", size);
		line[length++] = byte;
	}
	if (length && line[length - 1] == '\r')
		length--;
	line[length] = 0;
	return 0;
}

void stream_close(struct stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}
