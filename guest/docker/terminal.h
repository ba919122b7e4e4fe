/* The terminal that `docker` was started on. */
#ifndef LAYERBOX_DOCKER_TERMINAL_H
#define LAYERBOX_DOCKER_TERMINAL_H

#include <stdint.h>

/* Of the first standard stream that is a terminal; zeros if none is. */
void terminal_size(uint16_t *rows, uint16_t *columns);

/* Sets the terminal of stdin raw, once; restore undoes it, and may be called at
 * any time. */
void terminal_make_raw(void);
void terminal_restore(void);

#endif
