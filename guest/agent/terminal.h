/* Pseudo terminals: opened by the child, served by the agent. */
#ifndef LAYERBOX_TERMINAL_H
#define LAYERBOX_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct terminal {
	int master, slave;
};

/* Opens a pair of the devpts that /dev/ptmx belongs to, so that its name means
 * something to the processes on it. Returns false and sets errno. */
bool terminal_open(struct terminal *terminal, uint16_t rows, uint16_t columns,
		   uid_t owner);

/* Makes the calling session leader's standard streams and controlling terminal
 * of it. */
bool terminal_adopt(const struct terminal *terminal);

/* The container's console is its first process's terminal, as Docker has it. */
void terminal_make_console(const struct terminal *terminal);

/* Hands the master over a socket. */
bool terminal_send_master(int socket, const struct terminal *terminal);
/* Receives a message, with a master (else it stays -1) or without. */
ssize_t terminal_receive(int socket, void *message, size_t size, int *master);

#endif
