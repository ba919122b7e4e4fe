#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "file.h"

#define NAME_SIZE 128

static struct network {
	struct network *next;
	int fd;
	char name[NAME_SIZE];
} *networks;

static int host = -1;

void network_start(void)
{
	struct ifreq request = { .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(request.ifr_name, "lo");
	ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	file_write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
	file_write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
}

static int open_own(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

void network_prepare(void)
{
	host = open_own();
}

int network_find(const char *name)
{
	if (strcmp(name, NETWORK_OF_HOST) == 0)
		return host;
	for (struct network *n = networks; n; n = n->next)
		if (strcmp(n->name, name) == 0)
			return n->fd;
	return -1;
}

int network_make(const char *name)
{
	struct network *n;
	int error = 0;

	if (!name[0] || strlen(name) >= NAME_SIZE)
		return EINVAL;
	if (network_find(name) >= 0)
		return EEXIST;
	n = calloc(1, sizeof *n);
	if (!n)
		return ENOMEM;
	if (unshare(CLONE_NEWNET) < 0) {
		error = errno;
		free(n);
		return error;
	}
	network_start();
	n->fd = open_own();
	if (n->fd < 0)
		error = errno;
	setns(host, CLONE_NEWNET);
	if (error) {
		free(n);
		return error;
	}
	strcpy(n->name, name);
	n->next = networks;
	networks = n;
	return 0;
}

int network_remove(const char *name)
{
	for (struct network **link = &networks; *link; link = &(*link)->next) {
		struct network *n = *link;

		if (strcmp(n->name, name) != 0)
			continue;
		*link = n->next;
		close(n->fd);
		free(n);
		return 0;
	}
	return ENOENT;
}

int network_inside(const char *name, int (*act)(void))
{
	int fd = network_find(name), error;

	if (fd < 0)
		return ENOENT;
	if (setns(fd, CLONE_NEWNET) < 0)
		return errno;
	error = act();
	setns(host, CLONE_NEWNET);
	return error;
}
