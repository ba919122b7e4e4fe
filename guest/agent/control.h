/* CONTROL frames: what the engine asks of the machine itself. */
#ifndef LAYERBOX_CONTROL_H
#define LAYERBOX_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

void control(uint16_t cookie, const char *words, size_t length);

/* Answers for the slow act that ran in this process. False: it was none. */
bool control_finished(pid_t pid, int status);

#endif
