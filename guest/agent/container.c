#include "container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "child.h"
#include "file.h"
#include "launch.h"
#include "mount.h"
#include "network.h"

#define SYSTEM (MS_NOSUID | MS_NODEV | MS_NOEXEC)

struct system_mount {
	const char *type, *target;
	unsigned long flags;
	const char *options;
	bool is_optional;
};

static const struct system_mount system_mounts[] = {
	{ "proc", "/proc", SYSTEM, NULL, false },
	{ "sysfs", "/sys", SYSTEM | MS_RDONLY, NULL, true },
	{ "cgroup2", "/sys/fs/cgroup", SYSTEM | MS_RDONLY, NULL, true },
	{ "tmpfs", "/dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=64k", false },
	{ "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
	  "newinstance,ptmxmode=0666,mode=0620,gid=5", false },
	{ "tmpfs", "/dev/shm", SYSTEM, "mode=1777,size=64m", true },
	{ "mqueue", "/dev/mqueue", SYSTEM, NULL, true },
};

static const struct { const char *path; unsigned minor, major; } nodes[] = {
	{ "/dev/null", 3, 1 },   { "/dev/zero", 5, 1 },    { "/dev/full", 7, 1 },
	{ "/dev/random", 8, 1 }, { "/dev/urandom", 9, 1 }, { "/dev/tty", 0, 5 },
};

static const char *const links[][2] = {
	{ "pts/ptmx", "/dev/ptmx" },           { "/proc/self/fd", "/dev/fd" },
	{ "/proc/self/fd/0", "/dev/stdin" },   { "/proc/self/fd/1", "/dev/stdout" },
	{ "/proc/self/fd/2", "/dev/stderr" },  { "/proc/kcore", "/dev/core" },
};

static void pivot(const char *root)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		child_fail("private mounts");
	if (mount(root, root, NULL, MS_BIND | MS_REC, NULL) < 0 ||
	    chdir(root) < 0)
		child_fail(root);
	/* Both names may be the same folder: the old root then lies on top of
	 * the new one and is taken off by the next call. */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		child_fail("pivot_root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		child_fail("old root");
}

static void mount_system(bool is_privileged)
{
	for (size_t i = 0; i < sizeof system_mounts / sizeof *system_mounts; i++) {
		const struct system_mount *m = &system_mounts[i];
		unsigned long flags = is_privileged ? m->flags & ~MS_RDONLY
						    : m->flags;

		/* only where it is missing: each entry made is a write into the
		 * container's own layer */
		if (mkdir(m->target, 0755) < 0 && errno != EEXIST &&
		    !m->is_optional)
			child_fail(m->target);
		if (mount(m->type, m->target, m->type, flags, m->options) < 0 &&
		    !m->is_optional)
			child_fail(m->target);
	}
	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
		mknod(nodes[i].path, S_IFCHR | 0666,
		      makedev(nodes[i].major, nodes[i].minor));
		chmod(nodes[i].path, 0666); /* whatever the umask */
	}
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		symlink(links[i][0], links[i][1]);
}

/* Makes the devices of the folder `host` that are not there. */
static void copy_devices(int host)
{
	DIR *folder = fdopendir(host);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		char path[PATH_MAX];
		struct stat stat;

		if (fstatat(host, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !(S_ISCHR(stat.st_mode) || S_ISBLK(stat.st_mode)))
			continue;
		snprintf(path, sizeof path, "/dev/%s", entry->d_name);
		mknod(path, stat.st_mode, stat.st_rdev);
	}
	if (folder)
		closedir(folder);
}

/* The kernel's settings are the whole machine's. */
static void protect_settings(void)
{
	if (mount("/proc/sys", "/proc/sys", NULL, MS_BIND | MS_REC, NULL) < 0 ||
	    !mount_make_read_only("/proc/sys", false))
		child_fail("/proc/sys");
}

void container_enter(const struct launch *l)
{
	int *trees;
	int devices = -1;

	/* Not at clone time: the new namespace would have the agent's own group
	 * for its root, the child is moved into its group only after that. */
	if (unshare(CLONE_NEWCGROUP) < 0)
		child_fail("cgroup namespace");
	if (l->hostname && sethostname(l->hostname, strlen(l->hostname)) < 0)
		child_fail("hostname");
	trees = mounts_open(l->binds, l->bind_count);

	if (l->is_privileged)
		devices = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pivot(l->root);
	mount_system(l->is_privileged);
	if (devices >= 0)
		copy_devices(devices);
	network_start();
	if (!l->is_privileged)
		protect_settings();
	mounts_attach(l->binds, l->bind_count, trees);
	if (l->is_read_only && !mount_make_read_only("/", false))
		child_fail("read-only root");
}
