/* Small acts on files and folders. */
#ifndef LAYERBOX_FILE_H
#define LAYERBOX_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes `text` with one write(2). Returns 0 or an errno. */
int file_write(const char *path, const char *text);

/* Makes `text` the content of the file in place: who has it mounted elsewhere
 * sees it. Makes it and its folders if missing. Returns 0 or an errno. */
int file_replace(const char *path, const char *text);

/* Removes the files in a folder, and the folder. Returns 0 or an errno. */
int file_remove_folder(const char *path);

/* Reads up to size - 1 bytes and ends them with NUL. Returns 0 or an errno. */
int file_read(const char *path, char *text, size_t size);

/* Makes the folders that lead to `path`, and `path` itself unless `parents_only`.
 * Returns 0 or an errno; that it exists already is no error. */
int file_make_folders(const char *path, bool parents_only);

/* Makes an empty file where a mount needs one. Returns 0 or an errno. */
int file_make_mount_point(const char *path);

#endif
