#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cgroup.h"
#include "channel.h"
#include "child.h"
#include "launch.h"
#include "network.h"
#include "port.h"
#include "process.h"
#include "terminal.h"

#define EXIT_NOT_STARTED 125

static int own_pid_namespace = -1;

void spawn_prepare(void)
{
	own_pid_namespace = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
}

static void refuse(uint16_t channel, int error, const char *stage)
{
	char text[256];

	snprintf(text, sizeof text, "%s: %s", stage, strerror(error));
	port_send_failure(channel, FRAME_ERROR, error, EXIT_NOT_STARTED, text);
}

/* The descriptors of one start, paired as pipe(2) and socketpair(2) give them. */
enum end {
	IN_CHILD, IN_AGENT,
	OUT_AGENT, OUT_CHILD,
	ERR_AGENT, ERR_CHILD,
	SETUP_AGENT, SETUP_CHILD,
	CGROUP,
	END_COUNT
};

static void close_ends(int ends[END_COUNT])
{
	for (int i = 0; i < END_COUNT; i++)
		if (ends[i] >= 0)
			close(ends[i]);
}

/* Returns the stage that failed, with errno, or NULL. */
static const char *open_ends(int ends[END_COUNT], const struct launch *l,
			     const char *cgroup)
{
	memset(ends, -1, END_COUNT * sizeof *ends);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		       &ends[SETUP_AGENT]) < 0)
		return "socketpair";
	if (!l->has_terminal && (pipe2(&ends[IN_CHILD], O_CLOEXEC) < 0 ||
				 pipe2(&ends[OUT_AGENT], O_CLOEXEC) < 0 ||
				 pipe2(&ends[ERR_AGENT], O_CLOEXEC) < 0))
		return "pipe";
	if (cgroup[0] && (ends[CGROUP] = cgroup_open(cgroup)) < 0)
		return "cgroup";
	return NULL;
}

/* The agent's own from now on. */
static int keep(int *end)
{
	int fd = *end;

	*end = -1;
	if (fd >= 0)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static pid_t clone_child(const struct launch *l, int cgroup, int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};

	if (l->root)
		args.flags |= CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS |
			      CLONE_NEWIPC;
	if (l->root && !l->network)
		args.flags |= CLONE_NEWNET;
	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = cgroup;
	}
	return syscall(SYS_clone3, &args, sizeof args);
}

/* Returns the stage that failed, with errno, or NULL. */
static const char *start(struct channel *c, const struct launch *l,
			 const int ends[END_COUNT], int join)
{
	int pidfd = -1;
	pid_t pid;

	/* A process cannot change its own pid namespace, only that of the
	 * children it has from then on. */
	if (join >= 0 && setns(join, CLONE_NEWPID) < 0)
		return "join";
	pid = clone_child(l, ends[CGROUP], &pidfd);
	if (pid == 0)
		child_run(l, &(struct child_ends){
			.in = ends[IN_CHILD],
			.out = ends[OUT_CHILD],
			.err = ends[ERR_CHILD],
			.setup = ends[SETUP_CHILD],
			.join = join,
		});
	if (join >= 0) {
		int error = errno;

		setns(own_pid_namespace, CLONE_NEWPID);
		errno = error;
	}
	if (pid < 0)
		return "clone";
	c->pid = pid;
	c->pidfd = pidfd;
	return NULL;
}

static void watch_ends(struct channel *c, int ends[END_COUNT])
{
	c->setup.fd = keep(&ends[SETUP_AGENT]);
	c->in.fd = keep(&ends[IN_AGENT]);
	c->out.fd = keep(&ends[OUT_AGENT]);
	c->err.fd = keep(&ends[ERR_AGENT]);
	watch_for(&c->setup, EPOLLIN);
	process_wake(c);
}

void spawn(uint16_t id, const char *words, size_t length)
{
	struct channel *target = NULL, *c;
	const char *cgroup, *failed;
	struct launch l;
	int ends[END_COUNT];
	int error = launch_parse(&l, words, length);

	if (error || channel_find(id)) {
		refuse(id, error ? error : EEXIST, "spawn");
		goto free_launch;
	}
	if (l.exec_channel >= 0) {
		target = channel_find(l.exec_channel);
		if (!target || target->is_request || target->has_exited) {
			refuse(id, ESRCH, "exec: the container is not running");
			goto free_launch;
		}
	}
	if (l.network && network_find(l.network) < 0) {
		refuse(id, ENOENT, "network");
		goto free_launch;
	}
	cgroup = l.cgroup ? l.cgroup : target ? target->cgroup : "";
	c = channel_open(id);
	failed = open_ends(ends, &l, cgroup);
	if (!failed) {
		bool joins = target && target->is_contained;

		c->has_terminal = l.has_terminal;
		c->is_contained = l.root || joins;
		snprintf(c->cgroup, sizeof c->cgroup, "%s", cgroup);
		failed = start(c, &l, ends, joins ? target->pidfd : -1);
	}
	if (failed) {
		refuse(id, errno, failed);
		channel_close(c);
	} else {
		watch_ends(c, ends);
	}
	close_ends(ends);
free_launch:
	launch_free(&l);
}

static void take_terminal(struct channel *c, int master)
{
	fcntl(master, F_SETFL, O_NONBLOCK);
	c->out.fd = master;
	/* epoll knows a descriptor once, and each direction has its own watch */
	c->in.fd = fcntl(master, F_DUPFD_CLOEXEC, 3);
	if (c->rows)
		process_resize(c, c->rows, c->columns);
}

void spawn_progress(struct watch *watch, uint32_t events)
{
	struct channel *c = watch->channel;
	struct child_report report;
	uint32_t pid;
	int master = -1;
	ssize_t n = terminal_receive(watch->fd, &report, sizeof report - 1,
				     &master);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (master >= 0) {
		take_terminal(c, master);
		process_wake(c);
		return;
	}
	if (n >= (ssize_t)offsetof(struct child_report, text)) {
		report.text[n - offsetof(struct child_report, text)] = 0;
		port_send_failure(c->id, FRAME_ERROR, report.error, report.code,
				  report.text);
		channel_close(c);
		return;
	}
	/* the child's end closed itself: that is what a good exec does */
	watch_close(&c->setup);
	pid = c->pid;
	port_send(c->id, FRAME_STARTED, 0, &pid, 4);
	process_started(c);
}
