#include "terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "file.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

bool terminal_open(struct terminal *t, uint16_t rows, uint16_t columns,
		   uid_t owner)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	int flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
	int locked = 0;

	t->master = open("/dev/ptmx", flags);
	if (t->master < 0)
		return false;
	if (ioctl(t->master, TIOCSPTLCK, &locked) < 0)
		return false;
	/* not by name: what is mounted on /dev/pts need not be its devpts */
	t->slave = ioctl(t->master, TIOCGPTPEER, flags);
	if (t->slave < 0)
		return false;
	ioctl(t->master, TIOCSWINSZ, &size);
	return fchown(t->slave, owner, -1) == 0;
}

bool terminal_adopt(const struct terminal *t)
{
	if (ioctl(t->slave, TIOCSCTTY, 0) < 0)
		return false;
	for (int fd = 0; fd < 3; fd++)
		if (dup2(t->slave, fd) < 0)
			return false;
	return true;
}

void terminal_make_console(const struct terminal *t)
{
	char slave[32];
	int number;

	if (ioctl(t->master, TIOCGPTN, &number) < 0)
		return;
	snprintf(slave, sizeof slave, "/dev/pts/%d", number);
	if (file_make_mount_point("/dev/console") == 0)
		mount(slave, "/dev/console", NULL, MS_BIND, NULL);
}

bool terminal_send_master(int socket, const struct terminal *t)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char nothing = 0;
	struct iovec message = { &nothing, 1 };
	struct msghdr packet = {
		.msg_iov = &message,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&packet);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &t->master, sizeof(int));
	return sendmsg(socket, &packet, MSG_NOSIGNAL) == 1;
}

ssize_t terminal_receive(int socket, void *message, size_t size, int *master)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec target = { message, size };
	struct msghdr packet = {
		.msg_iov = &target,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	ssize_t n = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&packet) : NULL;

	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(master, CMSG_DATA(header), sizeof(int));
	return n;
}
