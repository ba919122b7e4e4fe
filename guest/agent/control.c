#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "file.h"
#include "link.h"
#include "network.h"
#include "port.h"
#include "words.h"

#define MOUNT_TAG "host9p" /* what v86 calls its 9P device */
#define READ_LIMIT 16000

static const char *list, *list_end;
static char answer[READ_LIMIT + 1];

static const char *word(const char *key)
{
	return words_value(list, list_end, key, "");
}

static int set_time(void)
{
	long long ms = strtoll(word("ms"), NULL, 10);
	struct timespec now = { ms / 1000, ms % 1000 * 1000000 };

	return clock_settime(CLOCK_REALTIME, &now) < 0 ? errno : 0;
}

static int mount_export(void)
{
	int error = file_make_folders(word("target"), false);

	if (error)
		return error;
	if (mount(MOUNT_TAG, word("target"), "9p", 0, word("options")) < 0)
		return errno;
	return 0;
}

static int bind_path(void)
{
	struct stat source;
	int error;

	if (stat(word("source"), &source) < 0)
		return errno;
	error = S_ISDIR(source.st_mode)
		? file_make_folders(word("target"), false)
		: file_make_mount_point(word("target"));
	if (error)
		return error;
	if (mount(word("source"), word("target"), NULL, MS_BIND | MS_REC, NULL) < 0)
		return errno;
	return 0;
}

static int unmount(void)
{
	return umount2(word("target"), 0) < 0 ? errno : 0;
}

static int sync_all(void)
{
	sync();
	return 0;
}

static int drop_caches(void)
{
	return file_write("/proc/sys/vm/drop_caches", word("level"));
}

/* A limit has to stand before the first process of a group runs, so writing one
 * makes the group. */
static int write_value(void)
{
	static const char groups[] = CGROUP_PARENT "/";
	const char *path = word("path");

	if (strncmp(path, groups, sizeof groups - 1) == 0)
		file_make_folders(path, true);
	return file_write(path, word("value"));
}

static int read_value(void)
{
	return file_read(word("path"), answer, sizeof answer);
}

static int replace_file(void)
{
	return file_replace(word("path"), word("value"));
}

static int remove_files(void)
{
	return file_remove_folder(word("path"));
}

static int set_hostname(void)
{
	const char *name = word("name");

	return sethostname(name, strlen(name)) < 0 ? errno : 0;
}

static int remove_cgroup(void)
{
	return cgroup_remove(word("name"));
}

static int freeze(void)
{
	return cgroup_freeze(word("name"), word("state")[0] == '1');
}

static int make_network(void)
{
	return network_make(word("name"));
}

static int remove_network(void)
{
	return network_remove(word("name"));
}

static int make_bridge(void)
{
	return link_make_bridge(word("name"), word("mac"), word("address"));
}

static int remove_link(void)
{
	return link_remove(word("name"));
}

static int address_link(void)
{
	return link_set_address(word("name"), word("address"));
}

static int connect_network(void)
{
	int netns = network_find(word("network"));
	int error;

	if (netns < 0)
		return ENOENT;
	error = link_make_pair(word("host"), word("bridge"), netns,
			       word("name"), word("mac"));
	if (error)
		return error;
	error = network_inside(word("network"), address_link);
	if (error)
		link_remove(word("host"));
	return error;
}

static int set_gateway(void)
{
	return link_set_gateway(word("gateway"));
}

static int route(void)
{
	return network_inside(word("network"), set_gateway);
}

/* What is slow waits for the disk or for other processes, and would make every
 * channel wait with it: it runs in a process of its own. */
static const struct act {
	const char *name;
	int (*run)(void);
	bool is_slow;
} acts[] = {
	{ "time", set_time, false },
	{ "mount", mount_export, false },
	{ "bind", bind_path, false },
	{ "unmount", unmount, true },
	{ "sync", sync_all, true },
	{ "drop", drop_caches, true },
	{ "write", write_value, false },
	{ "read", read_value, false },
	{ "file", replace_file, false },
	{ "removefiles", remove_files, false },
	{ "hostname", set_hostname, false },
	{ "removecgroup", remove_cgroup, true },
	{ "freeze", freeze, true },
	{ "network", make_network, false },
	{ "removenetwork", remove_network, false },
	{ "bridge", make_bridge, false },
	{ "connect", connect_network, false },
	{ "removelink", remove_link, false },
	{ "route", route, false },
};

static struct job {
	struct job *next;
	pid_t pid;
	uint16_t cookie;
} *jobs;

static void reply(uint16_t cookie, int error)
{
	if (error && !answer[0])
		snprintf(answer, sizeof answer, "%s", strerror(error));
	port_send_failure(cookie, FRAME_CONTROL, error, -1, answer);
	answer[0] = 0;
}

static void run_aside(uint16_t cookie, const struct act *act)
{
	struct job *job = malloc(sizeof *job);
	pid_t pid = job ? fork() : -1;

	if (pid == 0) {
		/* else it would hold the pipes of other channels open meanwhile */
		syscall(SYS_close_range, 3, ~0U, 0);
		_exit(act->run());
	}
	if (pid < 0) {
		free(job);
		reply(cookie, EAGAIN);
		return;
	}
	*job = (struct job){ jobs, pid, cookie };
	jobs = job;
}

bool control_finished(pid_t pid, int status)
{
	for (struct job **link = &jobs; *link; link = &(*link)->next) {
		struct job *job = *link;

		if (job->pid != pid)
			continue;
		*link = job->next;
		reply(job->cookie, WIFEXITED(status) ? WEXITSTATUS(status) : EINTR);
		free(job);
		return true;
	}
	return false;
}

void control(uint16_t cookie, const char *words, size_t length)
{
	const char *op;

	list = words;
	list_end = words + length;
	op = word("op");
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		if (strcmp(acts[i].name, op) != 0)
			continue;
		if (acts[i].is_slow)
			run_aside(cookie, &acts[i]);
		else
			reply(cookie, acts[i].run());
		return;
	}
	reply(cookie, ENOSYS);
}
