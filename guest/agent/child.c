#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container.h"
#include "file.h"
#include "identity.h"
#include "launch.h"
#include "network.h"
#include "terminal.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { EXIT_OTHER = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

static int setup;

static _Noreturn void report(const char *stage, int code)
{
	struct child_report report = { .error = errno, .code = code };
	int length = snprintf(report.text, sizeof report.text, "%s: %s", stage,
			      strerror(errno));

	if (length >= (int)sizeof report.text)
		length = sizeof report.text - 1;
	send(setup, &report, offsetof(struct child_report, text) + length,
	     MSG_NOSIGNAL);
	_exit(code);
}

_Noreturn void child_fail(const char *stage)
{
	report(stage, EXIT_OTHER);
}

static void take_pipes(const struct child_ends *ends, uid_t owner)
{
	const int pipes[] = { ends->in, ends->out, ends->err };

	for (int fd = 0; fd < 3; fd++) {
		if (dup2(pipes[fd], fd) < 0)
			child_fail("stdio");
		/* /dev/stdout is opened anew by its name, which asks for rights */
		fchown(fd, owner, -1);
	}
}

static void take_terminal(const struct launch *l)
{
	struct terminal terminal;

	if (!terminal_open(&terminal, l->rows, l->columns, l->uid))
		child_fail("terminal");
	if (l->root)
		terminal_make_console(&terminal);
	if (!terminal_send_master(setup, &terminal))
		child_fail("terminal");
	if (!terminal_adopt(&terminal))
		child_fail("terminal");
}

static void enter_cwd(const struct launch *l)
{
	/* Docker makes the WorkingDir of a container, not that of an exec */
	if (chdir(l->cwd) < 0 && errno == ENOENT && l->root)
		file_make_folders(l->cwd, false);
	if (chdir(l->cwd) < 0)
		child_fail(l->cwd);
}

/* execvp would hand a file without a magic number to a shell; Docker does not. */
static _Noreturn void execute(const struct launch *l, int program)
{
	const char *name = l->argv[0], *path = DEFAULT_PATH;
	int error = ENOENT;

	if (program >= 0) {
		syscall(SYS_execveat, program, "", l->argv, l->env, AT_EMPTY_PATH);
		report(name, EXIT_OTHER);
	}
	for (char **variable = l->env; *variable; variable++)
		if (strncmp(*variable, "PATH=", 5) == 0)
			path = *variable + 5;

	if (strchr(name, '/')) {
		execve(name, l->argv, l->env);
		error = errno;
		path = "";
	}
	while (*path) {
		size_t length = strcspn(path, ":");
		char candidate[PATH_MAX];
		struct stat stat;

		snprintf(candidate, sizeof candidate, "%.*s/%s", (int)length,
			 path, name);
		execve(candidate, l->argv, l->env);
		/* the interpreter of a script may be what is missing */
		if (errno != ENOTDIR &&
		    (errno != ENOENT || lstat(candidate, &stat) == 0)) {
			error = errno;
			if (error != EACCES)
				break;
		}
		path += length + (path[length] == ':');
	}
	errno = error;
	report(name, error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

_Noreturn void child_run(const struct launch *l, const struct child_ends *ends)
{
	sigset_t none;
	int program = -1;

	setup = ends->setup;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	umask(022);

	/* while the host's files are still in sight */
	if (l->program &&
	    (program = open(l->program, O_PATH | O_CLOEXEC)) < 0)
		child_fail(l->program);
	if (ends->join >= 0 &&
	    setns(ends->join, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC |
			      CLONE_NEWNET | CLONE_NEWCGROUP) < 0)
		child_fail("join");
	if (l->network && setns(network_find(l->network), CLONE_NEWNET) < 0)
		child_fail("network");
	if (l->root)
		container_enter(l);

	setsid();
	if (l->has_terminal)
		take_terminal(l);
	else
		take_pipes(ends, l->uid);
	enter_cwd(l);
	if (rlimits_set(l->rlimits, l->rlimit_count) < 0)
		child_fail("ulimit");
	identity_assume(l);
	execute(l, program);
}
