/* `docker` processes of the guest: each connection is a channel of the agent's
 * own. The agent relays frames and keeps no account of their windows: credits go
 * from end to end. */
#ifndef LAYERBOX_REQUEST_H
#define LAYERBOX_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"

#define REQUEST_SOCKET "/run/layerbox/agent.sock"

bool request_listen(void);
void request_client_ready(struct watch *watch, uint32_t events);

/* A frame of the host for the `docker` behind a channel. */
void request_forward(struct channel *channel, const struct frame_header *header,
		     const char *payload);

#endif
