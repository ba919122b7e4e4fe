#include "request.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "port.h"

static struct watch listener;

static void wake(struct channel *c)
{
	watch_for(&c->client,
		  EPOLLIN | (buffer_length(&c->input) ? EPOLLOUT : 0));
}

static void accept_client(struct watch *watch, uint32_t events)
{
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct channel *c;

	(void)events;
	if (fd < 0)
		return;
	c = channel_open(channel_next_request());
	c->is_request = true;
	c->client.fd = fd;
	wake(c);
}

bool request_listen(void)
{
	struct sockaddr_un address = { AF_UNIX, REQUEST_SOCKET };

	watch_init(&listener, NULL, accept_client);
	listener.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			     0);
	if (bind(listener.fd, (void *)&address, sizeof address) < 0 ||
	    listen(listener.fd, 64) < 0)
		return false;
	chmod(REQUEST_SOCKET, 0666);
	watch_for(&listener, EPOLLIN);
	return true;
}

static void gone(struct channel *c)
{
	if (c->is_announced && !c->is_answered)
		port_send(c->id, FRAME_GONE, 0, NULL, 0);
	channel_close(c);
}

/* Returns false if the client does not keep to the protocol. */
static bool relay(struct channel *c, const struct frame_header *h,
		  const char *payload)
{
	if (c->is_announced == (h->type == FRAME_REQUEST))
		return false;
	c->is_announced = true;
	switch (h->type) {
	case FRAME_DATA:
		c->window -= h->length;
		if (c->window < 0)
			return false;
		break;
	case FRAME_REQUEST:
	case FRAME_EOF:
	case FRAME_CREDIT:
	case FRAME_RESIZE:
	case FRAME_SIGNAL:
		break;
	default:
		return false;
	}
	if (!c->is_answered)
		port_send(c->id, h->type, h->flag, payload, h->length);
	return true;
}

static bool receive(struct channel *c)
{
	ssize_t n = read(c->client.fd, buffer_reserve(&c->partial, 16384), 16384);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	c->partial.end += n;
	for (;;) {
		struct frame_header header;

		if (buffer_length(&c->partial) < sizeof header)
			return true;
		memcpy(&header, buffer_head(&c->partial), sizeof header);
		if (header.length > MAX_PAYLOAD)
			return false;
		if (buffer_length(&c->partial) < sizeof header + header.length)
			return true;
		if (!relay(c, &header, buffer_head(&c->partial) + sizeof header))
			return false;
		buffer_consume(&c->partial, sizeof header + header.length);
	}
}

static bool flush(struct channel *c)
{
	while (buffer_length(&c->input)) {
		ssize_t n = send(c->client.fd, buffer_head(&c->input),
				 buffer_length(&c->input), MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		buffer_consume(&c->input, n);
	}
	return true;
}

void request_client_ready(struct watch *watch, uint32_t events)
{
	struct channel *c = watch->channel;

	if (((events & EPOLLOUT) && !flush(c)) ||
	    ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !receive(c)))
		gone(c);
	else
		wake(c);
}

void request_forward(struct channel *c, const struct frame_header *header,
		     const char *payload)
{
	if (c->is_answered)
		return;
	if (header->type == FRAME_CREDIT && header->length >= 4) {
		uint32_t bytes;

		memcpy(&bytes, payload, 4);
		c->window += bytes;
	}
	buffer_append(&c->input, header, sizeof *header);
	buffer_append(&c->input, payload, header->length);
	/* The id stays taken until the client has read the rest and left. */
	if (header->type == FRAME_EXIT)
		c->is_answered = true;
	if (flush(c))
		wake(c);
	else
		gone(c);
}
