/* Ways out of the program; all of them restore the terminal. */
#ifndef LAYERBOX_DOCKER_H
#define LAYERBOX_DOCKER_H

/* Says "docker: <reason>" and exits as Docker does for its own failures. */
_Noreturn void docker_fail(const char *reason);

/* Whoever read our output is gone. */
_Noreturn void docker_die_of_pipe(void);

#endif
