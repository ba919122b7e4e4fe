/* The channels of the port: each runs one process, or serves one `docker`. */
#ifndef LAYERBOX_CHANNEL_H
#define LAYERBOX_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "buffer.h"
#include "event.h"
#include "protocol.h"

#define CGROUP_NAME_SIZE 128

struct channel {
	struct channel *next;
	uint16_t id;
	bool is_request;
	bool closed;         /* freed at the end of the turn */
	int32_t window;      /* bytes of DATA that the host still takes */
	struct buffer input; /* on its way to the process, or to `docker` */

	/* a process: process.c, spawn.c */
	pid_t pid;
	int pidfd;
	bool has_terminal;
	bool is_contained;   /* in namespaces of its own or of another channel */
	bool has_started, has_exited, input_ended;
	int status;          /* of waitpid */
	uint32_t uncredited; /* bytes of input that CREDIT has not given back */
	uint16_t rows, columns;
	char cgroup[CGROUP_NAME_SIZE];
	struct watch setup, in, out, err;
	int32_t out_rest, err_rest; /* see process_exited */

	/* a `docker`: request.c */
	struct watch client;
	struct buffer partial;
	bool is_announced; /* the host knows of it */
	bool is_answered; /* the host has sent EXIT and forgotten the channel */
};

struct channel *channel_find(uint16_t id);
struct channel *channel_of_pid(pid_t pid);
struct channel *channel_open(uint16_t id);
/* An id that no request has had for a long time: frames of the host may still be
 * on their way to one that is gone. */
uint16_t channel_next_request(void);
void channel_close(struct channel *channel);

/* Looks anew at what each channel waits for. */
void channels_wake(void);
void channels_sweep(void);

#endif
