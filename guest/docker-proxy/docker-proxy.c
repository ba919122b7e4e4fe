/* docker-proxy: publishes ports of a container. It listens in the host's network
 * and passes what comes on to the container's address, as Docker's program of
 * this name does where there is no iptables.
 *
 *   docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080
 *                -container-ip 172.17.0.2 -container-port 80 [-proto ...]
 *
 * One process serves all ports of a container; each -proto begins a new one. On
 * its standard output it says `ready`, or number and errno of the port that it
 * cannot listen at, and ends. */
#include "docker-proxy.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define FORGET_INTERVAL 10000 /* milliseconds */

struct garbage {
	struct garbage *next;
};

static int epoll = -1;
static struct garbage *garbage;

void watch_for(struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };
	int how = EPOLL_CTL_MOD;

	if (watch->fd < 0 || events == watch->events)
		return;
	if (!watch->events)
		how = EPOLL_CTL_ADD;
	else if (!events)
		how = EPOLL_CTL_DEL;
	epoll_ctl(epoll, how, watch->fd, &event);
	watch->events = events;
}

void watch_close(struct watch *watch)
{
	if (watch->fd < 0)
		return;
	watch_for(watch, 0);
	close(watch->fd);
	watch->fd = -1;
}

void free_later(void *memory)
{
	struct garbage *each = memory;

	each->next = garbage;
	garbage = each;
}

static void free_garbage(void)
{
	while (garbage) {
		struct garbage *next = garbage->next;

		free(garbage);
		garbage = next;
	}
}

static _Noreturn void usage(void)
{
	fputs("usage: docker-proxy -proto tcp|udp -host-ip IP -host-port PORT "
	      "-container-ip IP -container-port PORT [-proto ...]\n", stderr);
	exit(2);
}

static void set_address(struct sockaddr_in *address, const char *text)
{
	address->sin_family = AF_INET;
	if (inet_pton(AF_INET, text, &address->sin_addr) != 1)
		usage();
}

static int parse(int argc, char **argv, struct mapping *mappings)
{
	struct mapping *m = mappings - 1;

	for (int i = 1; i + 1 < argc; i += 2) {
		const char *value = argv[i + 1];

		if (strcmp(argv[i], "-proto") == 0)
			(++m)->is_udp = strcmp(value, "udp") == 0;
		else if (m < mappings)
			usage();
		else if (strcmp(argv[i], "-host-ip") == 0)
			set_address(&m->host, value);
		else if (strcmp(argv[i], "-host-port") == 0)
			m->host.sin_port = htons(atoi(value));
		else if (strcmp(argv[i], "-container-ip") == 0)
			set_address(&m->container, value);
		else if (strcmp(argv[i], "-container-port") == 0)
			m->container.sin_port = htons(atoi(value));
		else
			usage();
	}
	return m - mappings + 1;
}

int main(int argc, char **argv)
{
	struct mapping *mappings = calloc(argc, sizeof *mappings);
	int count;

	if (!mappings)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	count = parse(argc, argv, mappings);
	if (!count)
		usage();
	for (int i = 0; i < count; i++) {
		int error = mappings[i].is_udp ? udp_listen(&mappings[i])
					       : tcp_listen(&mappings[i]);

		if (error) {
			printf("%d %d\n", i, error);
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct epoll_event events[32];
		int n = epoll_wait(epoll, events, 32, FORGET_INTERVAL);

		for (int i = 0; i < n; i++) {
			struct watch *watch = events[i].data.ptr;

			if (watch->fd >= 0)
				watch->ready(watch, events[i].events);
		}
		udp_forget_silent();
		free_garbage();
	}
}
