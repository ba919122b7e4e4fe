#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		error = errno;
	close(fd);
	return error;
}

int file_replace(const char *path, const char *text)
{
	int error = file_make_mount_point(path);
	int fd;

	if (error)
		return error;
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		error = errno;
	close(fd);
	return error;
}

int file_remove_folder(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	if (!folder)
		return errno;
	while ((entry = readdir(folder)))
		unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	return rmdir(path) < 0 ? errno : 0;
}

int file_read(const char *path, char *text, size_t size)
{
	size_t length = 0;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	text[0] = 0;
	if (fd < 0)
		return errno;
	while (length < size - 1 &&
	       (n = read(fd, text + length, size - 1 - length)) > 0)
		length += n;
	text[length] = 0;
	close(fd);
	return n < 0 ? errno : 0;
}

int file_make_folders(const char *path, bool parents_only)
{
	char part[PATH_MAX];

	if (strlen(path) >= sizeof part)
		return ENAMETOOLONG;
	strcpy(part, path);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		/* a link or a mount is there already; what matters is the end */
		mkdir(part, 0755);
		*p = '/';
	}
	if (parents_only || mkdir(part, 0755) == 0 || errno == EEXIST)
		return 0;
	return errno;
}

int file_make_mount_point(const char *path)
{
	int error = file_make_folders(path, true);
	int fd;

	if (error)
		return error;
	fd = open(path, O_CREAT | O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}
