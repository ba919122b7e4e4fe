/* The parent's half of a SPAWN: child.h has the other one. */
#ifndef LAYERBOX_SPAWN_H
#define LAYERBOX_SPAWN_H

#include <stddef.h>
#include <stdint.h>

#include "event.h"

void spawn_prepare(void);
void spawn(uint16_t channel, const char *words, size_t length);

/* Something came from the child on its setup socket. */
void spawn_progress(struct watch *watch, uint32_t events);

#endif
