/* The first process of a container that was started with --init, bound in at
 * /sbin/docker-init:
 *
 *	docker-init -- PROGRAM [ARGUMENT...]
 *
 * It runs the program as its child, hands it every signal, reaps what is left
 * to it, and exits as the program does, 128+n when signal n ended it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

static pid_t start(char **argv, const sigset_t *mask)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	/* a group of its own, in front on the terminal: Ctrl-C is for it */
	setpgid(0, 0);
	tcsetpgrp(STDIN_FILENO, getpgrp());
	signal(SIGTTIN, SIG_DFL);
	signal(SIGTTOU, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	fprintf(stderr, "[FATAL tini (%d)] exec %s failed: %s\n", getpid(),
		argv[0], strerror(errno));
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* Returns the program's exit code, or -1 while it runs. */
static int reap(pid_t program)
{
	int status, code = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == program)
			code = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
						   : WEXITSTATUS(status);
	return code;
}

int main(int argc, char **argv)
{
	sigset_t all, before;
	siginfo_t info;
	pid_t program;

	if (argc > 1 && strcmp(argv[1], "--") == 0)
		argv++, argc--;
	if (argc < 2) {
		fputs("usage: docker-init [--] PROGRAM [ARGUMENT...]\n", stderr);
		return 1;
	}
	/* tcsetpgrp of a process in the background would stop it */
	signal(SIGTTIN, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	program = start(argv + 1, &before);
	if (program < 0) {
		perror("docker-init: fork");
		return 1;
	}
	for (;;) {
		int code;

		if (sigwaitinfo(&all, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD) {
			kill(program, info.si_signo);
			continue;
		}
		code = reap(program);
		if (code >= 0)
			return code;
	}
}
