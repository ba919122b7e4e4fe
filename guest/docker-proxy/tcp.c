/* Connections: each is two streams of bytes, which end one by one. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "docker-proxy.h"

#define BUFFER_SIZE 16384
/* Each takes two descriptors and 32 KB. Who comes later waits. */
#define MOST_CONNECTIONS 256
#define BACKLOG 128

struct side {
	struct watch watch; /* first: a watch is its side */
	struct connection *connection;
	/* what was read here and is on its way to the other side */
	char bytes[BUFFER_SIZE];
	size_t start, end;
	bool has_ended;    /* nothing more is read here */
	bool is_shut;      /* the other side knows */
};

struct connection {
	void *garbage; /* free_later's */
	struct side sides[2];
	bool is_connecting; /* sides[1] */
};

struct listener {
	struct watch watch;
	struct sockaddr_in container;
	struct listener *next;
};

static struct listener *listeners;
static int connections;

static void set_accepting(bool accepts)
{
	for (struct listener *l = listeners; l; l = l->next)
		watch_for(&l->watch, accepts ? EPOLLIN : 0);
}

static struct side *other_of(struct side *side)
{
	struct connection *c = side->connection;

	return side == &c->sides[0] ? &c->sides[1] : &c->sides[0];
}

static void finish(struct connection *c)
{
	watch_close(&c->sides[0].watch);
	watch_close(&c->sides[1].watch);
	free_later(c);
	if (connections-- == MOST_CONNECTIONS)
		set_accepting(true);
}

static void wait_again(struct connection *c)
{
	for (int i = 0; i < 2; i++) {
		struct side *side = &c->sides[i], *other = &c->sides[1 - i];
		uint32_t events = 0;

		if (!side->has_ended && side->end < BUFFER_SIZE)
			events |= EPOLLIN;
		if (other->start < other->end || (i == 1 && c->is_connecting))
			events |= EPOLLOUT;
		watch_for(&side->watch, events);
	}
}

/* False: the connection is broken. */
static bool take(struct side *side)
{
	ssize_t n = read(side->watch.fd, side->bytes + side->end,
			 BUFFER_SIZE - side->end);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		side->has_ended = true;
	side->end += n;
	return true;
}

/* False: the connection is broken. */
static bool give(struct side *side)
{
	struct side *other = other_of(side);

	if (side->start < side->end) {
		ssize_t n = send(other->watch.fd, side->bytes + side->start,
				 side->end - side->start, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		side->start += n;
	}
	if (side->start == side->end) {
		side->start = side->end = 0;
		if (side->has_ended && !side->is_shut) {
			shutdown(other->watch.fd, SHUT_WR);
			side->is_shut = true;
		}
	}
	return true;
}

static bool has_connected(struct connection *c)
{
	int error = 0;
	socklen_t length = sizeof error;

	getsockopt(c->sides[1].watch.fd, SOL_SOCKET, SO_ERROR, &error, &length);
	c->is_connecting = false;
	return error == 0;
}

static void side_ready(struct watch *watch, uint32_t events)
{
	struct side *side = (struct side *)watch;
	struct connection *c = side->connection;
	bool goes_on = true;

	if (c->is_connecting && side == &c->sides[1])
		goes_on = has_connected(c);
	if (goes_on && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) &&
	    !side->has_ended && side->end < BUFFER_SIZE)
		goes_on = take(side);
	else if (events & (EPOLLHUP | EPOLLERR))
		goes_on = false;
	for (int i = 0; goes_on && !c->is_connecting && i < 2; i++)
		goes_on = give(&c->sides[i]);
	if (!goes_on || (c->sides[0].is_shut && c->sides[1].is_shut))
		finish(c);
	else
		wait_again(c);
}

static void accept_one(struct watch *watch, uint32_t events)
{
	struct listener *l = (struct listener *)watch;
	struct connection *c;
	int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0)
		return;
	c = calloc(1, sizeof *c);
	if (!c) {
		close(fd);
		return;
	}
	c->sides[0].watch.fd = fd;
	c->sides[1].watch.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK |
						       SOCK_CLOEXEC, 0);
	for (int i = 0; i < 2; i++) {
		c->sides[i].connection = c;
		c->sides[i].watch.ready = side_ready;
	}
	if (++connections == MOST_CONNECTIONS)
		set_accepting(false);
	if (connect(c->sides[1].watch.fd, (void *)&l->container,
		    sizeof l->container) < 0) {
		if (errno != EINPROGRESS) {
			finish(c);
			return;
		}
		c->is_connecting = true;
	}
	wait_again(c);
}

int tcp_listen(const struct mapping *m)
{
	struct listener *l = calloc(1, sizeof *l);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (!l || fd < 0)
		return ENOMEM;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, (void *)&m->host, sizeof m->host) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return errno;
	l->watch.fd = fd;
	l->watch.ready = accept_one;
	l->container = m->container;
	l->next = listeners;
	listeners = l;
	watch_for(&l->watch, EPOLLIN);
	return 0;
}
