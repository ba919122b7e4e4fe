#include "boot.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binfmt.h"
#include "cgroup.h"
#include "file.h"
#include "network.h"

#define STAGE "/run"

/* The kernel's first root has no mount above it, which pivot_root needs: a bind
 * of it, moved over it, has. */
static void make_root_pivotable(void)
{
	if (mount("/", STAGE, NULL, MS_BIND, NULL) < 0 || chdir(STAGE) < 0 ||
	    mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
		return;
	chdir("/");
}

static void mount_all(void)
{
	static const struct {
		const char *type, *target, *options;
	} mounts[] = {
		{ "devtmpfs", "/dev", "mode=0755" },
		{ "proc", "/proc", NULL },
		{ "sysfs", "/sys", NULL },
		{ "cgroup2", CGROUP_ROOT, NULL },
		{ "devpts", "/dev/pts", "ptmxmode=0666,mode=0620,gid=5" },
		{ "tmpfs", "/dev/shm", "mode=1777" },
		{ "mqueue", "/dev/mqueue", NULL },
		{ "tmpfs", "/run", "mode=0755" },
		{ "tmpfs", "/tmp", "mode=1777" },
	};

	for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
		mkdir(mounts[i].target, 0755);
		mount(mounts[i].type, mounts[i].target, mounts[i].type, 0,
		      mounts[i].options);
	}
	/* devtmpfs has the node of the kernel's first devpts */
	unlink("/dev/ptmx");
	symlink("pts/ptmx", "/dev/ptmx");
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
	mkdir("/run/layerbox", 0755);
	chmod("/", 0755); /* the kernel makes it for everyone to write */
}

static void set_limits(void)
{
	/* Inherited by every process. The soft limit stays low: programs that
	 * close all they might have would take minutes here. */
	struct rlimit files = { 1024, 524288 };

	setrlimit(RLIMIT_NOFILE, &files);
	/* What is written to 9P shall reach the engine within a tenth of a second
	 * or so: a tab can be closed at any time. */
	file_write("/proc/sys/vm/dirty_writeback_centisecs", "10");
	file_write("/proc/sys/vm/dirty_expire_centisecs", "10");
	/* And what it has not got is no more than it holds room for
	 * (src/storage/storage-room.ts), however large the machine. */
	file_write("/proc/sys/vm/dirty_bytes", "16777216");
}

void boot(void)
{
	int null;

	make_root_pivotable();
	mount_all();
	set_limits();
	cgroup_prepare();
	binfmt_register();
	network_prepare();
	network_start();
	/* 1 and 2 stay on the kernel's console, where a panic is seen */
	null = open("/dev/null", O_RDWR);
	if (null > 0) {
		dup2(null, 0);
		close(null);
	}
}
