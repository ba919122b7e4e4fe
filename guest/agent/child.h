/* The child's half of a SPAWN: from clone to exec. */
#ifndef LAYERBOX_CHILD_H
#define LAYERBOX_CHILD_H

#include <stdint.h>

struct launch;

struct child_ends {
	int in, out, err; /* -1 each: a terminal */
	int setup;        /* close-on-exec socket to the agent */
	int join;         /* pidfd of the container to join, or -1 */
};

/* What the child says on `setup` when it cannot go on. */
struct child_report {
	uint32_t error;
	uint32_t code; /* as Docker has it: 126, 127, 125 */
	char text[512];
};

_Noreturn void child_run(const struct launch *launch,
			 const struct child_ends *ends);

/* Reports "stage: reason" of errno and ends the child. */
_Noreturn void child_fail(const char *stage);

#endif
