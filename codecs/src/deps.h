/* In place of libzstd's own zstd_deps.h: no C library. */

#include "codecs.h"
#define ZSTD_DEPS_COMMON
#include <limits.h>
#include <stddef.h>
#define ZSTD_memcpy(to, from, length) __builtin_memcpy((to), (from), (length))
#define ZSTD_memmove(to, from, length) __builtin_memmove((to), (from), (length))
#define ZSTD_memset(to, byte, length) __builtin_memset((to), (byte), (length))
#define ZSTD_DEPS_MALLOC
/* Contexts are static: nothing is ever allocated. */
#define ZSTD_malloc(size) NULL
#define ZSTD_calloc(count, size) NULL
#define ZSTD_free(pointer) ((void)(pointer))
