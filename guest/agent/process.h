/* The streams and the end of a channel's process. */
#ifndef LAYERBOX_PROCESS_H
#define LAYERBOX_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"

void process_output_ready(struct watch *watch, uint32_t events);
void process_input_ready(struct watch *watch, uint32_t events);

/* Frames of the host. */
void process_input(struct channel *channel, const char *bytes, uint32_t length);
void process_end_input(struct channel *channel);
void process_credit(struct channel *channel, uint32_t bytes);
void process_signal(struct channel *channel, int number, bool foreground);
void process_resize(struct channel *channel, uint16_t rows, uint16_t columns);

/* Called when its streams are there, when the port has room again, and when
 * anything else changed that decides what to wait for. */
void process_wake(struct channel *channel);

void process_started(struct channel *channel);
void process_exited(struct channel *channel, int status);

#endif
