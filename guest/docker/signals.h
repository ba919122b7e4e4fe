/* Signals, read from a descriptor instead of interrupting. */
#ifndef LAYERBOX_SIGNALS_H
#define LAYERBOX_SIGNALS_H

#include <stdbool.h>

void signals_prepare(void);
int signals_descriptor(void);

/* Whether the engine gets them; else they do what they do by default, once the
 * terminal is restored. Ctrl-Z is never among them. */
void signals_forward(bool forward);
void signals_read(void);

/* Dies of it, so that the shell sees why. */
_Noreturn void signals_die(int number);

#endif
