/* The agent: first process of the guest. It serves the frames of protocol.h on
 * one virtio-console port, runs what the engine asks for, and hands the engine
 * what `docker` asks for. One loop, nothing in it waits. */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot.h"
#include "channel.h"
#include "control.h"
#include "event.h"
#include "port.h"
#include "process.h"
#include "request.h"
#include "spawn.h"

static struct watch child_signals;

static void process_frame(struct channel *c, const struct frame_header *h,
			  const char *payload)
{
	uint16_t size[2] = { 0 };
	uint32_t number = 0;

	if (h->length >= 4) {
		memcpy(size, payload, 4);
		memcpy(&number, payload, 4);
	}
	switch (h->type) {
	case FRAME_DATA:
		process_input(c, payload, h->length);
		break;
	case FRAME_EOF:
		process_end_input(c);
		break;
	case FRAME_CREDIT:
		process_credit(c, number);
		break;
	case FRAME_RESIZE:
		process_resize(c, size[0], size[1]);
		break;
	case FRAME_SIGNAL:
		process_signal(c, number, h->flag & 1);
		break;
	}
}

static void receive(const struct frame_header *h, char *payload)
{
	struct channel *c;

	if (h->type == FRAME_SPAWN) {
		spawn(h->channel, payload, h->length);
		return;
	}
	if (h->type == FRAME_CONTROL) {
		control(h->channel, payload, h->length);
		return;
	}
	/* frames for a channel that has just ended are normal: they crossed */
	c = channel_find(h->channel);
	if (c && c->is_request)
		request_forward(c, h, payload);
	else if (c)
		process_frame(c, h, payload);
}

static void reap(struct watch *watch, uint32_t events)
{
	struct signalfd_siginfo info[8];
	int status;
	pid_t pid;

	(void)events;
	/* one signal may stand for many children */
	(void)!read(watch->fd, info, sizeof info);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct channel *c = channel_of_pid(pid);

		if (c)
			process_exited(c, status);
		else
			control_finished(pid, status);
	}
}

static void watch_children(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	watch_init(&child_signals, NULL, reap);
	child_signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	watch_for(&child_signals, EPOLLIN);
}

int main(void)
{
	uint32_t version = PROTOCOL_VERSION;

	boot();
	event_open();
	watch_children();
	spawn_prepare();
	if (!port_open(receive) || !request_listen()) {
		fputs("agent: no port to the engine\n", stderr);
		for (;;)
			pause();
	}
	port_send(0, FRAME_READY, 0, &version, sizeof version);
	for (;;) {
		port_flush();
		channels_sweep();
		event_wait();
	}
}
