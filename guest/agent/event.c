#include "event.h"

#include <stddef.h>
#include <unistd.h>

static int epoll = -1;

void event_open(void)
{
	epoll = epoll_create1(EPOLL_CLOEXEC);
}

void event_wait(void)
{
	struct epoll_event ready[32];
	int n = epoll_wait(epoll, ready, 32, -1);

	for (int i = 0; i < n; i++) {
		struct watch *watch = ready[i].data.ptr;

		/* an earlier one of this batch may have closed it */
		if (watch->fd >= 0)
			watch->ready(watch, ready[i].events);
	}
}

void watch_init(struct watch *watch, struct channel *channel,
		void (*ready)(struct watch *, uint32_t))
{
	*watch = (struct watch){ .fd = -1, .ready = ready, .channel = channel };
}

void watch_for(struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (watch->fd < 0 || watch->events == events)
		return;
	/* epoll reports a hang-up even to those who ask for nothing: an idle
	 * descriptor has to leave the set or the loop spins. */
	if (!events)
		epoll_ctl(epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	else
		epoll_ctl(epoll, watch->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
			  watch->fd, &event);
	watch->events = events;
}

void watch_close(struct watch *watch)
{
	if (watch->fd < 0)
		return;
	/* a copy of the descriptor in another process would keep it in the set */
	watch_for(watch, 0);
	close(watch->fd);
	watch->fd = -1;
}
