/* The parts of docker-proxy, and what they wait for. */
#ifndef LAYERBOX_DOCKER_PROXY_H
#define LAYERBOX_DOCKER_PROXY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* One published port: where it is listened at, and what stands behind it. */
struct mapping {
	bool is_udp;
	struct sockaddr_in host, container;
};

struct watch {
	int fd; /* -1: closed */
	uint32_t events;
	void (*ready)(struct watch *watch, uint32_t events);
};

void watch_for(struct watch *watch, uint32_t events);
/* Closes the descriptor. What holds the watch is freed at the end of the turn at
 * the earliest: events of it may have been read already. */
void watch_close(struct watch *watch);
/* Frees the memory once no event can point into it. */
void free_later(void *memory);

/* These listen, and serve from then on. They return 0 or an errno. */
int tcp_listen(const struct mapping *mapping);
int udp_listen(const struct mapping *mapping);

/* Called now and then. */
void udp_forget_silent(void);

#endif
