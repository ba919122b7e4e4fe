#include "mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"
#include "file.h"

#define FIELD_SEPARATOR '\037'
#define TREE_FLAGS (OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
#define OPTIONS_MAX 1024

/* Ends the field and returns the next, or "" when it was the last. */
static char *next_field(char *field)
{
	char *end = strchr(field, FIELD_SEPARATOR);

	if (!end)
		return field + strlen(field);
	*end = 0;
	return end + 1;
}

bool mount_parse_bind(struct bind *bind, char *value)
{
	char *target, *options;

	if (!strchr(value, FIELD_SEPARATOR))
		return false;
	target = next_field(value);
	options = next_field(target);
	bind->source = value;
	bind->target = target;
	bind->options = options;
	bind->within = next_field(options);
	return true;
}

void mount_parse_tmpfs(struct bind *bind, char *value)
{
	bind->source = NULL;
	bind->target = value;
	bind->options = next_field(value);
	bind->within = "";
}

static bool has_option(const char *options, const char *wanted)
{
	size_t length = strlen(wanted);

	while (*options) {
		size_t word = strcspn(options, ",");

		if (word == length && strncmp(options, wanted, length) == 0)
			return true;
		options += word + (options[word] == ',');
	}
	return false;
}

bool mount_make_read_only(const char *path, bool is_recursive)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };

	return syscall(SYS_mount_setattr, AT_FDCWD, path,
		       is_recursive ? AT_RECURSIVE : 0, &attributes,
		       sizeof attributes) == 0;
}

/* No link inside a volume may lead out of it. */
static int open_within(const struct bind *bind)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int root = open(bind->source, O_PATH | O_CLOEXEC);
	int fd, tree;

	if (root < 0)
		return -1;
	fd = syscall(SYS_openat2, root, bind->within, &how, sizeof how);
	close(root);
	if (fd < 0)
		return -1;
	tree = syscall(SYS_open_tree, fd, "", TREE_FLAGS | AT_EMPTY_PATH | AT_RECURSIVE);
	close(fd);
	return tree;
}

static int open_source(const struct bind *bind)
{
	int flags = TREE_FLAGS;
	int tree;

	if (bind->within[0]) {
		tree = open_within(bind);
		if (tree < 0)
			child_fail(bind->within);
		return tree;
	}
	if (!has_option(bind->options, "nonrecursive"))
		flags |= AT_RECURSIVE;
	tree = syscall(SYS_open_tree, AT_FDCWD, bind->source, flags);
	/* Docker makes the folder that -v names */
	if (tree < 0 && errno == ENOENT && !has_option(bind->options, "mustexist") &&
	    file_make_folders(bind->source, false) == 0)
		tree = syscall(SYS_open_tree, AT_FDCWD, bind->source, flags);
	if (tree < 0)
		child_fail(bind->source);
	return tree;
}

int *mounts_open(const struct bind *binds, size_t count)
{
	int *trees = calloc(count + 1, sizeof *trees);

	if (!trees)
		child_fail("binds");
	for (size_t i = 0; i < count; i++)
		trees[i] = binds[i].source ? open_source(&binds[i]) : -1;
	return trees;
}

/* Where something is to be mounted: a link leads where it would lead the
 * container's own programs. */
static void make_target(const char *target, bool is_folder)
{
	struct stat stat_of;
	int error;

	if (stat(target, &stat_of) == 0)
		return;
	error = is_folder ? file_make_folders(target, false)
			  : file_make_mount_point(target);
	errno = error;
	if (error)
		child_fail(target);
}

static void attach_bind(const struct bind *bind, int tree)
{
	struct stat source, target;
	char stage[512];

	if (fstat(tree, &source) < 0)
		child_fail(bind->source);
	make_target(bind->target, S_ISDIR(source.st_mode));
	if (stat(bind->target, &target) == 0 &&
	    S_ISDIR(source.st_mode) != S_ISDIR(target.st_mode)) {
		snprintf(stage, sizeof stage,
			 "error mounting \"%s\" to rootfs at \"%s\"",
			 bind->source, bind->target);
		errno = ENOTDIR;
		child_fail(stage);
	}
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, bind->target,
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) < 0)
		child_fail(bind->target);
	if (has_option(bind->options, "ro") &&
	    !mount_make_read_only(bind->target,
				  !has_option(bind->options, "nonrecursivero")))
		child_fail(bind->target);
	close(tree);
}

static const struct { const char *name; unsigned long set, clear; } flag_words[] = {
	{ "ro", MS_RDONLY, 0 },           { "rw", 0, MS_RDONLY },
	{ "nosuid", MS_NOSUID, 0 },       { "suid", 0, MS_NOSUID },
	{ "nodev", MS_NODEV, 0 },         { "dev", 0, MS_NODEV },
	{ "noexec", MS_NOEXEC, 0 },       { "exec", 0, MS_NOEXEC },
	{ "sync", MS_SYNCHRONOUS, 0 },    { "async", 0, MS_SYNCHRONOUS },
	{ "dirsync", MS_DIRSYNC, 0 },     { "noatime", MS_NOATIME, 0 },
	{ "atime", 0, MS_NOATIME },       { "nodiratime", MS_NODIRATIME, 0 },
	{ "diratime", 0, MS_NODIRATIME }, { "relatime", MS_RELATIME, 0 },
	{ "norelatime", 0, MS_RELATIME }, { "strictatime", MS_STRICTATIME, 0 },
	{ "nostrictatime", 0, MS_STRICTATIME },
};

static bool take_flag(const char *word, size_t length, unsigned long *flags)
{
	for (size_t i = 0; i < sizeof flag_words / sizeof *flag_words; i++) {
		if (strlen(flag_words[i].name) != length ||
		    strncmp(flag_words[i].name, word, length) != 0)
			continue;
		*flags = (*flags & ~flag_words[i].clear) | flag_words[i].set;
		return true;
	}
	return false;
}

static void attach_tmpfs(const struct bind *bind)
{
	char options[OPTIONS_MAX] = "";
	unsigned long flags = 0;
	struct stat target;
	int length = 0;

	/* a folder that is there keeps its mode, unless the options say another */
	if (stat(bind->target, &target) == 0)
		length = snprintf(options, sizeof options, "mode=%o",
				  target.st_mode & 07777);
	make_target(bind->target, true);
	for (const char *word = bind->options; *word;) {
		size_t end = strcspn(word, ",");

		if (!take_flag(word, end, &flags))
			length += snprintf(options + length,
					   sizeof options - length, "%s%.*s",
					   length ? "," : "", (int)end, word);
		if (length >= (int)sizeof options) {
			errno = ENAMETOOLONG;
			child_fail(bind->target);
		}
		word += end + (word[end] == ',');
	}
	if (mount("tmpfs", bind->target, "tmpfs", flags, options) < 0)
		child_fail(bind->target);
}

void mounts_attach(const struct bind *binds, size_t count, int *trees)
{
	for (size_t i = 0; i < count; i++) {
		if (binds[i].source)
			attach_bind(&binds[i], trees[i]);
		else
			attach_tmpfs(&binds[i]);
	}
	free(trees);
}
