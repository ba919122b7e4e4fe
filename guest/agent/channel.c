#include "channel.h"

#include <stdlib.h>
#include <unistd.h>

#include "process.h"
#include "request.h"
#include "spawn.h"

#define FIRST_REQUEST 0x8000

static struct channel *channels;

struct channel *channel_find(uint16_t id)
{
	for (struct channel *c = channels; c; c = c->next)
		if (c->id == id && !c->closed)
			return c;
	return NULL;
}

struct channel *channel_of_pid(pid_t pid)
{
	for (struct channel *c = channels; c; c = c->next)
		if (!c->closed && !c->is_request && !c->has_exited &&
		    c->pid == pid)
			return c;
	return NULL;
}

struct channel *channel_open(uint16_t id)
{
	struct channel *c = calloc(1, sizeof *c);

	if (!c)
		_exit(1);
	c->id = id;
	c->window = WINDOW;
	c->pidfd = -1;
	watch_init(&c->setup, c, spawn_progress);
	watch_init(&c->in, c, process_input_ready);
	watch_init(&c->out, c, process_output_ready);
	watch_init(&c->err, c, process_output_ready);
	watch_init(&c->client, c, request_client_ready);
	c->next = channels;
	channels = c;
	return c;
}

uint16_t channel_next_request(void)
{
	static uint16_t next = FIRST_REQUEST;
	uint16_t id;

	do {
		id = next++;
		if (next < FIRST_REQUEST)
			next = FIRST_REQUEST;
	} while (channel_find(id));
	return id;
}

void channel_close(struct channel *c)
{
	watch_close(&c->setup);
	watch_close(&c->in);
	watch_close(&c->out);
	watch_close(&c->err);
	watch_close(&c->client);
	if (c->pidfd >= 0)
		close(c->pidfd);
	c->pidfd = -1;
	c->closed = true;
}

void channels_wake(void)
{
	for (struct channel *c = channels; c; c = c->next)
		if (!c->closed && !c->is_request)
			process_wake(c);
}

void channels_sweep(void)
{
	for (struct channel **link = &channels; *link;) {
		struct channel *c = *link;

		if (!c->closed) {
			link = &c->next;
			continue;
		}
		*link = c->next;
		buffer_free(&c->input);
		buffer_free(&c->partial);
		free(c);
	}
}
