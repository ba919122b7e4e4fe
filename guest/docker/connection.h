/* The socket to the agent, which relays frames of agent/protocol.h. The channel
 * in the headers is the agent's affair. */
#ifndef LAYERBOX_CONNECTION_H
#define LAYERBOX_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* Returns the descriptor, or -1 and errno. */
int connection_open(void);

/* Ends the program if the agent is gone. */
void connection_send(uint8_t type, uint8_t flag, const void *payload,
		     size_t length);

/* Reads what has come and calls `receive` with each whole frame. */
void connection_receive(void (*receive)(const struct frame_header *,
					const char *payload));

#endif
