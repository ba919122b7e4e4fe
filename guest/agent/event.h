/* What the agent waits for: one epoll set of watched descriptors. */
#ifndef LAYERBOX_EVENT_H
#define LAYERBOX_EVENT_H

#include <stdint.h>
#include <sys/epoll.h>

struct channel;

struct watch {
	int fd;          /* -1: closed */
	uint32_t events; /* what is waited for; 0: not in the epoll set */
	void (*ready)(struct watch *watch, uint32_t events);
	struct channel *channel;
};

void event_open(void);

/* Waits once and calls the ready functions of at most 32 watches, so that none
 * can keep the others waiting for more than one turn each. */
void event_wait(void);

void watch_init(struct watch *watch, struct channel *channel,
		void (*ready)(struct watch *, uint32_t));
void watch_for(struct watch *watch, uint32_t events);
void watch_close(struct watch *watch);

#endif
