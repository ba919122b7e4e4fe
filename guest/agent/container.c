#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
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

static void mount_system(void)
{
	for (size_t i = 0; i < sizeof system_mounts / sizeof *system_mounts; i++) {
		const struct system_mount *m = &system_mounts[i];

		/* only where it is missing: each entry made is a write into the
		 * container's own layer */
		if (mkdir(m->target, 0755) < 0 && errno != EEXIST &&
		    !m->is_optional)
			child_fail(m->target);
		if (mount(m->type, m->target, m->type, m->flags, m->options) < 0 &&
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

static bool make_read_only(const char *path)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };

	return syscall(SYS_mount_setattr, AT_FDCWD, path, 0, &attributes,
		       sizeof attributes) == 0;
}

/* The kernel's settings are the whole machine's. */
static void protect_settings(void)
{
	if (mount("/proc/sys", "/proc/sys", NULL, MS_BIND | MS_REC, NULL) < 0 ||
	    !make_read_only("/proc/sys"))
		child_fail("/proc/sys");
}

/* Takes hold of what is to be bound while the host's tree is still in sight. */
static int open_source(const struct bind *bind)
{
	int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
	int tree = syscall(SYS_open_tree, AT_FDCWD, bind->source, flags);

	/* Docker makes the folder that -v names */
	if (tree < 0 && errno == ENOENT &&
	    file_make_folders(bind->source, false) == 0)
		tree = syscall(SYS_open_tree, AT_FDCWD, bind->source, flags);
	if (tree < 0)
		child_fail(bind->source);
	return tree;
}

/* Called inside, so that a link in the image's tree leads where it would lead
 * its own programs. */
static void attach(const struct bind *bind, int tree)
{
	struct stat source, target;

	if (fstat(tree, &source) < 0)
		child_fail(bind->source);
	if (stat(bind->target, &target) < 0) {
		int error = S_ISDIR(source.st_mode)
			? file_make_folders(bind->target, false)
			: file_make_mount_point(bind->target);

		errno = error;
		if (error)
			child_fail(bind->target);
	}
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, bind->target,
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) < 0)
		child_fail(bind->target);
	if (bind->is_read_only && !make_read_only(bind->target))
		child_fail(bind->target);
	close(tree);
}

void container_enter(const struct launch *l)
{
	int *trees = calloc(l->bind_count + 1, sizeof *trees);

	if (!trees)
		child_fail("binds");
	/* Not at clone time: the new namespace would have the agent's own group
	 * for its root, the child is moved into its group only after that. */
	if (unshare(CLONE_NEWCGROUP) < 0)
		child_fail("cgroup namespace");
	if (l->hostname && sethostname(l->hostname, strlen(l->hostname)) < 0)
		child_fail("hostname");
	for (size_t i = 0; i < l->bind_count; i++)
		trees[i] = open_source(&l->binds[i]);

	pivot(l->root);
	mount_system();
	network_start();
	protect_settings();
	for (size_t i = 0; i < l->bind_count; i++)
		attach(&l->binds[i], trees[i]);
	if (l->is_read_only && !make_read_only("/"))
		child_fail("read-only root");
	free(trees);
}
