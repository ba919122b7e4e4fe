/* Datagrams: each sender has a socket of its own towards the container, by which
 * the answers find back, until it has been silent for long. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "docker-proxy.h"

#define LARGEST 65507
#define SILENCE 90 /* seconds, as Docker has it */
#define MOST_SENDERS 128

struct sender {
	void *garbage; /* free_later's */
	struct watch watch;
	struct sender *next;
	struct port *port;
	struct sockaddr_in address;
	time_t heard;
};

struct port {
	struct watch watch;
	struct sockaddr_in container;
};

static struct sender *senders;
static int sender_count;
static char datagram[LARGEST];

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void forget(struct sender **link)
{
	struct sender *sender = *link;

	*link = sender->next;
	watch_close(&sender->watch);
	free_later(sender);
	sender_count--;
}

void udp_forget_silent(void)
{
	time_t now;

	if (!senders)
		return;
	now = seconds();
	for (struct sender **link = &senders; *link;) {
		if (now - (*link)->heard > SILENCE)
			forget(link);
		else
			link = &(*link)->next;
	}
}

static void forget_oldest(void)
{
	struct sender **oldest = &senders;

	for (struct sender **link = &senders; *link; link = &(*link)->next)
		if ((*link)->heard < (*oldest)->heard)
			oldest = link;
	forget(oldest);
}

static void answer(struct watch *watch, uint32_t events)
{
	struct sender *sender =
		(void *)((char *)watch - offsetof(struct sender, watch));
	ssize_t n = recv(watch->fd, datagram, sizeof datagram, 0);

	(void)events;
	if (n < 0)
		return; /* nobody listens in the container: so it is with UDP */
	sender->heard = seconds();
	sendto(sender->port->watch.fd, datagram, n, 0,
	       (void *)&sender->address, sizeof sender->address);
}

static struct sender *sender_at(struct port *port,
				const struct sockaddr_in *address)
{
	struct sender *s;
	int fd;

	for (s = senders; s; s = s->next)
		if (s->port == port &&
		    s->address.sin_port == address->sin_port &&
		    s->address.sin_addr.s_addr == address->sin_addr.s_addr)
			return s;
	if (sender_count == MOST_SENDERS)
		forget_oldest();
	s = calloc(1, sizeof *s);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (!s || fd < 0 || connect(fd, (void *)&port->container,
				    sizeof port->container) < 0) {
		if (fd >= 0)
			close(fd);
		free(s);
		return NULL;
	}
	s->watch.fd = fd;
	s->watch.ready = answer;
	s->port = port;
	s->address = *address;
	s->next = senders;
	senders = s;
	sender_count++;
	watch_for(&s->watch, EPOLLIN);
	return s;
}

static void question(struct watch *watch, uint32_t events)
{
	struct port *port = (struct port *)watch;
	struct sockaddr_in from;
	socklen_t length = sizeof from;
	struct sender *sender;
	ssize_t n = recvfrom(watch->fd, datagram, sizeof datagram, 0,
			     (void *)&from, &length);

	(void)events;
	if (n < 0)
		return;
	sender = sender_at(port, &from);
	if (!sender)
		return;
	sender->heard = seconds();
	send(sender->watch.fd, datagram, n, 0);
}

int udp_listen(const struct mapping *m)
{
	struct port *port = calloc(1, sizeof *port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (!port || fd < 0)
		return ENOMEM;
	if (bind(fd, (void *)&m->host, sizeof m->host) < 0)
		return errno;
	port->watch.fd = fd;
	port->watch.ready = question;
	port->container = m->container;
	watch_for(&port->watch, EPOLLIN);
	return 0;
}
