/* What the engine has sent for stdout and stderr and they have not taken yet. At
 * most WINDOW bytes: credit is given for what is really written. */
#ifndef LAYERBOX_OUTPUT_H
#define LAYERBOX_OUTPUT_H

#include <stdint.h>

void output_add(uint8_t stream, const char *bytes, uint32_t length);

/* The descriptor that the next bytes are for, or -1: nothing waits. */
int output_waits_for(void);

/* Writes a piece that a descriptor which poll calls writable takes at once. */
void output_write(void);

#endif
