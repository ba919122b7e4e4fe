/* The virtio-console port to the engine, frame by frame. */
#ifndef LAYERBOX_PORT_H
#define LAYERBOX_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* Returns false if the machine has no such port. */
bool port_open(void (*receive)(const struct frame_header *, char *payload));

void port_send(uint16_t channel, uint8_t type, uint8_t flag,
	       const void *payload, size_t length);
void port_send_numbers(uint16_t channel, uint8_t type, uint32_t first,
		       uint32_t second);
/* An errno, a second number if `code` is not negative, then text. */
void port_send_failure(uint16_t channel, uint8_t type, uint32_t error, int code,
		       const char *text);

/* Writes what is queued as far as the port takes it. */
void port_flush(void);

/* False while so much is queued that no more output should be read; the
 * channels are woken when it is true again. */
bool port_has_room(void);

#endif
