#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#define PATIENCE 5000 /* milliseconds */

static bool is_name(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/') &&
	       strlen(name) <= NAME_MAX;
}

static void path_of(char path[PATH_MAX], const char *name, const char *file)
{
	snprintf(path, PATH_MAX, CGROUP_PARENT "/%s/%s", name, file);
}

void cgroup_prepare(void)
{
	static const char controllers[] = "+cpu +memory +pids";

	file_write(CGROUP_ROOT "/cgroup.subtree_control", controllers);
	mkdir(CGROUP_PARENT, 0755);
	file_write(CGROUP_PARENT "/cgroup.subtree_control", controllers);
}

int cgroup_open(const char *name)
{
	char path[PATH_MAX];

	if (!is_name(name)) {
		errno = EINVAL;
		return -1;
	}
	path_of(path, name, "");
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Waits until cgroup.events of the group says `state`. */
static int wait_for(const char *name, const char *state)
{
	char path[PATH_MAX], text[256];
	struct pollfd events = { .events = POLLPRI };
	int error = 0;

	path_of(path, name, "cgroup.events");
	events.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (events.fd < 0)
		return errno;
	for (;;) {
		ssize_t n = pread(events.fd, text, sizeof text - 1, 0);

		text[n > 0 ? n : 0] = 0;
		if (strstr(text, state))
			break;
		if (poll(&events, 1, PATIENCE) <= 0) {
			error = ETIMEDOUT;
			break;
		}
	}
	close(events.fd);
	return error;
}

int cgroup_freeze(const char *name, bool frozen)
{
	char path[PATH_MAX];
	int error;

	if (!is_name(name))
		return EINVAL;
	path_of(path, name, "cgroup.freeze");
	error = file_write(path, frozen ? "1" : "0");
	if (error)
		return error;
	return wait_for(name, frozen ? "frozen 1" : "frozen 0");
}

int cgroup_remove(const char *name)
{
	char path[PATH_MAX];

	if (!is_name(name))
		return EINVAL;
	path_of(path, name, "");
	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	path_of(path, name, "cgroup.kill");
	file_write(path, "1");
	wait_for(name, "populated 0");
	path_of(path, name, "");
	return rmdir(path) == 0 ? 0 : errno;
}
