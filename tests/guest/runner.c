/*
 * Does what a file of cases says and prints what came of each system call, so
 * that a machine's filesystem can be held against a real one's. Freestanding:
 * it needs a compiler, the kernel's headers and nothing else, and the same
 * i386 program runs in the machine and on a Linux of x86. See README.md.
 *
 *     runner setup|touch|remake|run FILE FOLDER [CASE]
 */

#include <asm/unistd_32.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/types.h>

typedef unsigned int word;
typedef unsigned long long wide;

/* cdecl: number and six arguments, as the kernel wants them */
long call(long number, ...);
__asm__(".text\n.globl call\ncall:\n"
	"push %ebp\npush %edi\npush %esi\npush %ebx\n"
	"mov 20(%esp),%eax\nmov 24(%esp),%ebx\nmov 28(%esp),%ecx\nmov 32(%esp),%edx\n"
	"mov 36(%esp),%esi\nmov 40(%esp),%edi\nmov 44(%esp),%ebp\n"
	"int $0x80\n"
	"pop %ebx\npop %esi\npop %edi\npop %ebp\nret\n"
	".globl _start\n_start:\nxor %ebp,%ebp\nmov %esp,%eax\nand $-16,%esp\n"
	"sub $12,%esp\npush %eax\ncall begin\n");

#define CALL(name, ...) call(__NR_##name, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define HERE AT_FDCWD
#define EINTR 4

void *memset(void *to, int byte, word length)
{
	for (char *at = to; length; length--)
		*at++ = byte;
	return to;
}

void *memcpy(void *to, const void *from, word length)
{
	char *at = to;
	const char *source = from;
	while (length--)
		*at++ = *source++;
	return to;
}

static word length_of(const char *text)
{
	word length = 0;
	while (text[length])
		length++;
	return length;
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* -- what is printed --------------------------------------------------------------- */

static char out[1 << 16];
static word out_length;

static void flush(void)
{
	for (word at = 0; at < out_length;) {
		long written = CALL(write, 1, out + at, out_length - at);
		if (written < 0 && written != -EINTR)
			CALL(exit, 3);
		if (written > 0)
			at += written;
	}
	out_length = 0;
}

static void put(char letter)
{
	if (out_length == sizeof(out))
		flush();
	out[out_length++] = letter;
}

static void say(const char *text)
{
	while (*text)
		put(*text++);
}

static void say_number(wide value, word base, int digits)
{
	char text[32];
	int at = 0;
	while (value || at < digits) {
		wide rest = 0;
		/* by long division: there is no library for 64 bits */
		wide quotient = 0;
		for (int bit = 63; bit >= 0; bit--) {
			rest = rest << 1 | (value >> bit & 1);
			if (rest >= base) {
				rest -= base;
				quotient |= 1ULL << bit;
			}
		}
		text[at++] = "0123456789abcdef"[rest];
		value = quotient;
	}
	while (at)
		put(text[--at]);
}

static void say_decimal(long long value)
{
	if (value < 0) {
		put('-');
		value = -value;
	}
	say_number(value, 10, 1);
}

static void say_bytes(const unsigned char *bytes, word length)
{
	put('"');
	for (word at = 0; at < length; at++) {
		/* a run is said once and how often */
		word run = 1;
		while (at + run < length && bytes[at + run] == bytes[at])
			run++;
		if (bytes[at] > ' ' && bytes[at] < 127 && bytes[at] != '\\' && bytes[at] != '"')
			put(bytes[at]);
		else {
			say("\\x");
			say_number(bytes[at], 16, 2);
		}
		if (run > 4) {
			put('{');
			say_decimal(run);
			put('}');
			at += run - 1;
		}
	}
	put('"');
}

static const struct {
	int number;
	const char *name;
} errors[] = {
	{1, "EPERM"},	 {2, "ENOENT"},	   {4, "EINTR"},       {5, "EIO"},	{6, "ENXIO"},
	{7, "E2BIG"},	 {9, "EBADF"},	   {11, "EAGAIN"},     {12, "ENOMEM"},	{13, "EACCES"},
	{14, "EFAULT"},	 {16, "EBUSY"},	   {17, "EEXIST"},     {18, "EXDEV"},	{19, "ENODEV"},
	{20, "ENOTDIR"}, {21, "EISDIR"},   {22, "EINVAL"},     {24, "EMFILE"},	{25, "ENOTTY"},
	{26, "ETXTBSY"}, {27, "EFBIG"},	   {28, "ENOSPC"},     {29, "ESPIPE"},	{30, "EROFS"},
	{31, "EMLINK"},	 {32, "EPIPE"},	   {34, "ERANGE"},     {36, "ENAMETOOLONG"},
	{38, "ENOSYS"},	 {39, "ENOTEMPTY"}, {40, "ELOOP"},     {61, "ENODATA"}, {75, "EOVERFLOW"},
	{95, "EOPNOTSUPP"}, {116, "ESTALE"},
};

static void say_error(long result)
{
	for (word i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i].number == -result) {
			say(errors[i].name);
			return;
		}
	say("errno ");
	say_decimal(-result);
}

static void fail(const char *why, const char *what)
{
	flush();
	say("runner: ");
	say(why);
	put(' ');
	say(what);
	put('\n');
	flush();
	CALL(exit, 2);
}

/* -- words of a line ------------------------------------------------------------------ */

static char words[12][9000];
static int count;

static int digit(char letter)
{
	if (letter >= '0' && letter <= '9')
		return letter - '0';
	return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : 99;
}

static word number_at(const char **text, word base)
{
	word value = 0;
	for (; (word)digit(**text) < base; (*text)++)
		value = value * base + digit(**text);
	return value;
}

/* `@5` is nnnnn, `^3` is ./././, `%ff` a byte, '' nothing */
static void expand(const char *from, const char *end, char *to, const char *limit)
{
	if (end - from == 2 && from[0] == '\'' && from[1] == '\'')
		from = end;
	while (from < end && to < limit - 2) {
		if (*from == '@' || *from == '^') {
			int dots = *from++ == '^';
			for (word times = number_at(&from, 10); times && to < limit - 2; times--) {
				*to++ = dots ? '.' : 'n';
				if (dots)
					*to++ = '/';
			}
		} else if (*from == '%') {
			*to++ = digit(from[1]) << 4 | digit(from[2]);
			from += 3;
		} else
			*to++ = *from++;
	}
	*to = 0;
}

static void split(const char *line, const char *end)
{
	count = 0;
	while (line < end && count < 12) {
		while (line < end && (*line == ' ' || *line == '\t'))
			line++;
		const char *from = line;
		while (line < end && *line != ' ' && *line != '\t')
			line++;
		if (line == from)
			break;
		expand(from, line, words[count], words[count] + sizeof(words[count]));
		count++;
	}
}

static char *arg(int number)
{
	static char none[1];
	return number < count ? words[number] : none;
}

static word octal(int number)
{
	const char *text = arg(number);
	return number_at(&text, 8);
}

static long long decimal(int number)
{
	const char *text = arg(number);
	int negative = *text == '-';
	text += negative;
	long long value = 0;
	for (; digit(*text) < 10; text++)
		value = value * 10 + digit(*text);
	return negative ? -value : value;
}

static int has(const char *name)
{
	for (int i = 1; i < count; i++)
		if (same(words[i], name))
			return 1;
	return 0;
}

/* -- what a line does ------------------------------------------------------------------- */

static int slots[26];
static char *maps[26];
static word child;
static const char *self;
static unsigned char buffer[1 << 16];

static int slot(int number)
{
	char letter = arg(number)[0];
	if (letter < 'a' || letter > 'z')
		fail("no slot:", arg(number));
	return letter - 'a';
}

#define FD(number) slots[slot(number)]

static const struct {
	const char *name;
	int flag;
} flags[] = {
	{"RDONLY", O_RDONLY}, {"WRONLY", O_WRONLY},	{"RDWR", O_RDWR},
	{"CREAT", O_CREAT},   {"EXCL", O_EXCL},		{"TRUNC", O_TRUNC},
	{"APPEND", O_APPEND}, {"DIRECTORY", O_DIRECTORY}, {"NOFOLLOW", O_NOFOLLOW},
	{"NONBLOCK", O_NONBLOCK}, {"PATH", O_PATH},	{"TMPFILE", __O_TMPFILE | O_DIRECTORY},
	{"SYNC", O_SYNC},     {"DIRECT", O_DIRECT},	{"NOATIME", O_NOATIME},
};

static int open_flags(int from)
{
	int value = O_LARGEFILE;
	for (int i = from; i < count; i++)
		for (word j = 0; j < sizeof(flags) / sizeof(*flags); j++)
			if (same(words[i], flags[j].name))
				value |= flags[j].flag;
	return value;
}

static long open_at(const char *path, int flag, word mode)
{
	return CALL(openat, HERE, path, flag | O_LARGEFILE | O_CLOEXEC, mode);
}

static long write_file(const char *path, int flag, word mode, const char *text, word length)
{
	long fd = open_at(path, flag, mode);
	if (fd < 0)
		return fd;
	long done = length ? CALL(write, fd, text, length) : 0;
	long closed = CALL(close, fd);
	return done < 0 ? done : closed;
}

static long copy_self(const char *path)
{
	long from = open_at(self, O_RDONLY, 0);
	if (from < 0)
		return from;
	long to = open_at(path, O_CREAT | O_EXCL | O_WRONLY, 0755);
	if (to < 0)
		return to;
	for (long got; (got = CALL(read, from, buffer, sizeof(buffer))) > 0;)
		if (CALL(write, to, buffer, got) != got)
			fail("cannot copy itself to", path);
	CALL(close, from);
	return CALL(close, to);
}

static const char *type_of(word mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return "file";
	case S_IFDIR: return "dir";
	case S_IFLNK: return "symlink";
	case S_IFCHR: return "char";
	case S_IFBLK: return "block";
	case S_IFIFO: return "fifo";
	case S_IFSOCK: return "socket";
	}
	return "?";
}

static long stat_at(int fd, const char *path, int flag, struct statx *stat)
{
	return CALL(statx, fd, path, flag, STATX_BASIC_STATS, stat);
}

static long say_stat(int fd, const char *path, int flag)
{
	struct statx stat;
	long result = stat_at(fd, path, flag, &stat);
	if (result < 0)
		return result;
	word type = stat.stx_mode & S_IFMT;
	say(type_of(stat.stx_mode));
	put(' ');
	say_number(stat.stx_mode & 07777, 8, 4);
	put(' ');
	say_decimal(stat.stx_uid);
	put(':');
	say_decimal(stat.stx_gid);
	if (type != S_IFDIR) {
		say(" links ");
		say_decimal(stat.stx_nlink);
	}
	if (type == S_IFREG || type == S_IFLNK) {
		say(" size ");
		say_decimal(stat.stx_size);
	}
	if (type == S_IFCHR || type == S_IFBLK) {
		say(" device ");
		say_decimal(stat.stx_rdev_major);
		put(',');
		say_decimal(stat.stx_rdev_minor);
	}
	return 1;
}

static void say_time(const struct statx_timestamp *time)
{
	say_decimal(time->tv_sec);
	put('.');
	say_number(time->tv_nsec, 10, 9);
}

/* marks: the times of a file, to be compared with later ones */
static struct {
	char name[64];
	struct statx stat;
} marks[8];

static int mark_of(const char *name)
{
	for (int i = 0; i < 8; i++)
		if (same(marks[i].name, name) || !marks[i].name[0]) {
			word length = length_of(name);
			if (length >= sizeof(marks[i].name))
				fail("too long a name for a mark:", name);
			memcpy(marks[i].name, name, length + 1);
			return i;
		}
	fail("too many marks:", name);
	return 0;
}

struct time64 {
	long long seconds;
	long long nanoseconds;
};

/* the clock that files get their times from goes on before anything else is done */
static void tick(void)
{
	struct time64 first, now;
	CALL(clock_gettime64, 5 /* REALTIME_COARSE */, &first);
	for (int ticks = 0; ticks < 2;) {
		int pause[2] = {0, 2000000};
		CALL(nanosleep, pause, 0);
		CALL(clock_gettime64, 5, &now);
		if (now.seconds != first.seconds || now.nanoseconds != first.nanoseconds) {
			first = now;
			ticks++;
		}
	}
}

static int differs(struct statx_timestamp a, struct statx_timestamp b)
{
	return a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec;
}

static long since(const struct statx *before, const struct statx *now)
{
	int changed = 0;
	if (differs(before->stx_mtime, now->stx_mtime)) {
		say("mtime");
		changed = 1;
	}
	if (differs(before->stx_ctime, now->stx_ctime)) {
		say(changed ? " ctime" : "ctime");
		changed = 1;
	}
	if (!changed)
		say("unchanged");
	return 1;
}

struct dirent64 {
	wide ino;
	wide offset;
	unsigned short length;
	unsigned char type;
	char name[];
} __attribute__((packed));

static int before(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (unsigned char)*a < (unsigned char)*b;
}

static long say_entries(int fd)
{
	static char names[1 << 16];
	static struct {
		char *name;
		char type;
	} list[4096];
	int found = 0, dots = 0;
	char *end = names;
	long got;
	while ((got = CALL(getdents64, fd, buffer, sizeof(buffer))) > 0)
		for (long at = 0; at < got;) {
			struct dirent64 *entry = (struct dirent64 *)(buffer + at);
			at += entry->length;
			if (same(entry->name, ".") || same(entry->name, "..")) {
				dots++;
				continue;
			}
			word length = length_of(entry->name) + 1;
			if (found == 4096 || end + length > names + sizeof(names))
				fail("too many entries", "");
			memcpy(end, entry->name, length);
			int to = found++;
			for (; to && before(end, list[to - 1].name); to--)
				list[to] = list[to - 1];
			list[to].name = end;
			list[to].type = "?pc?d?b?f?l?s???"[entry->type & 15];
			end += length;
		}
	if (got < 0)
		return got;
	if (dots != 2)
		say("without dots ");
	say_decimal(found);
	for (int i = 0; i < found && i < 16; i++) {
		put(' ');
		say_bytes((unsigned char *)list[i].name, length_of(list[i].name));
		put(list[i].type);
	}
	return 1;
}

static long each_entry(const char *path, long (*act)(const char *path))
{
	struct statx stat;
	long result = stat_at(HERE, path, AT_SYMLINK_NOFOLLOW, &stat);
	if (result < 0)
		return result;
	if ((stat.stx_mode & S_IFMT) == S_IFDIR) {
		long fd = open_at(path, O_RDONLY | O_DIRECTORY, 0);
		if (fd < 0)
			return fd;
		/* the whole listing first: what is removed while it is read is nobody's business here */
		static char listing[8][1 << 14];
		static int depth;
		char *mine = listing[depth++];
		if (depth > 8)
			fail("too deep:", path);
		long length = 0, got;
		while ((got = CALL(getdents64, fd, mine + length, sizeof(listing[0]) - length)) > 0)
			length += got;
		if (got < 0)
			fail("too many entries:", path);
		CALL(close, fd);
		for (long at = 0; at < length;) {
			struct dirent64 *entry = (struct dirent64 *)(mine + at);
			char below[1024];
			word first = length_of(path), last = length_of(entry->name);
			at += entry->length;
			if (same(entry->name, ".") || same(entry->name, ".."))
				continue;
			if (first + last + 2 > sizeof(below))
				fail("too long a path:", path);
			memcpy(below, path, first);
			below[first] = '/';
			memcpy(below + first + 1, entry->name, last + 1);
			result = each_entry(below, act);
			if (result < 0)
				return result;
		}
		depth--;
	}
	return act(path);
}

static long remove_one(const char *path)
{
	long result = CALL(unlinkat, HERE, path, 0);
	return result == -21 ? CALL(unlinkat, HERE, path, AT_REMOVEDIR) : result;
}

/* changes nothing but ctime: a union copies it up */
static long touch_one(const char *path)
{
	struct statx stat;
	long result = stat_at(HERE, path, AT_SYMLINK_NOFOLLOW, &stat);
	if (result < 0)
		return result;
	if ((stat.stx_mode & S_IFMT) == S_IFLNK)
		return CALL(lchown32, path, stat.stx_uid, stat.stx_gid);
	return CALL(fchmodat, HERE, path, stat.stx_mode & 07777);
}

static void set_time(struct time64 *time, const char *text)
{
	if (same(text, "now"))
		time->nanoseconds = (1 << 30) - 1;
	else if (same(text, "omit"))
		time->nanoseconds = (1 << 30) - 2;
	else {
		int negative = *text == '-';
		text += negative;
		time->seconds = 0;
		for (; digit(*text) < 10; text++)
			time->seconds = time->seconds * 10 + digit(*text);
		if (negative)
			time->seconds = -time->seconds;
		time->nanoseconds = 0;
		if (*text++ == '.')
			time->nanoseconds = number_at(&text, 10);
	}
}

static long set_times(int fd, const char *path, int from, int flag)
{
	struct time64 times[2] = {{0, 0}, {0, 0}};
	if (same(arg(from), "null"))
		return CALL(utimensat_time64, fd, path, 0, flag);
	set_time(&times[0], arg(from));
	set_time(&times[1], arg(from + 1));
	return CALL(utimensat_time64, fd, path, times, flag);
}

static long start(const char *path, char *mode, int wait)
{
	flush();
	int pipe[2];
	if (CALL(pipe, pipe) < 0)
		fail("no pipe", "");
	long pid = CALL(fork);
	if (pid == 0) {
		char *argv[] = {(char *)path, mode, 0};
		char *envp[] = {0};
		if (pipe[1] != 9) {
			CALL(dup2, pipe[1], 9);
			CALL(close, pipe[1]);
		}
		CALL(close, pipe[0]);
		CALL(fcntl64, 9, F_SETFD, FD_CLOEXEC);
		long result = CALL(execve, path, argv, envp);
		CALL(write, 9, &result, sizeof(result));
		CALL(exit, 126);
	}
	CALL(close, pipe[1]);
	/* closed by a successful exec */
	long result = 0;
	long got = CALL(read, pipe[0], &result, sizeof(result));
	CALL(close, pipe[0]);
	int status = 0;
	if (wait || got > 0)
		CALL(waitpid, pid, &status, 0);
	else
		child = pid;
	if (got > 0)
		return result;
	if (!wait)
		return 0;
	say("exit ");
	say_decimal(status >> 8 & 255);
	return 1;
}

static int device_type(int number)
{
	switch (arg(number)[0]) {
	case 'c': return S_IFCHR;
	case 'b': return S_IFBLK;
	case 'p': return S_IFIFO;
	case 's': return S_IFSOCK;
	case 'f': return S_IFREG;
	case 'd': return S_IFDIR;
	}
	return 0;
}

static int nofollow(void)
{
	return has("nofollow") ? AT_SYMLINK_NOFOLLOW : 0;
}

static long say_content(int fd)
{
	long total = 0, got;
	while (total < (long)sizeof(buffer) &&
	       (got = CALL(read, fd, buffer + total, sizeof(buffer) - total)) != 0) {
		if (got < 0)
			return got;
		total += got;
	}
	say_bytes(buffer, total);
	return 1;
}

static long say_list(long length)
{
	if (length < 0)
		return length;
	/* in no order of its own: sorted by their first difference */
	char *names[64];
	int found = 0;
	for (long at = 0; at < length; at += length_of((char *)buffer + at) + 1) {
		char *name = (char *)buffer + at;
		/* labels and lists of a security module are the system's */
		if (same(name, "security.selinux"))
			continue;
		int to = found++;
		for (; to && before(name, names[to - 1]); to--)
			names[to] = names[to - 1];
		names[to] = name;
	}
	say_decimal(found);
	for (int i = 0; i < found; i++) {
		put(' ');
		say(names[i]);
	}
	return 1;
}

static long lock_file(int fd, const char *kind)
{
	struct {
		short type, whence;
		wide start, length;
		int pid;
	} __attribute__((packed, aligned(4))) lock = {0, 0, 0, 0, 0};
	lock.type = same(kind, "rd") ? 0 : same(kind, "wr") ? 1 : 2;
	return CALL(fcntl64, fd, 13 /* F_SETLK64 */, &lock);
}

/* a user of the system's without any privilege, or root again */
static void become(word uid, word gid)
{
	CALL(setresuid32, -1, 0, -1);
	CALL(setgroups32, 0, 0);
	if (CALL(setresgid32, gid, gid, -1) < 0 || CALL(setresuid32, uid, uid, 0) < 0)
		fail("cannot become another user", "");
}

#define IS(text) same(name, text)

/* 0: done; 1: its result is said already; below: an error */
static long act(void)
{
	const char *name = arg(0);
	long fd;
	if (IS("mkdir")) return CALL(mkdirat, HERE, arg(1), octal(2));
	if (IS("rmdir")) return CALL(unlinkat, HERE, arg(1), AT_REMOVEDIR);
	if (IS("unlink")) return CALL(unlinkat, HERE, arg(1), 0);
	if (IS("create")) return write_file(arg(1), O_CREAT | O_EXCL | O_WRONLY, octal(2), 0, 0);
	if (IS("file"))
		return write_file(arg(1), O_CREAT | O_EXCL | O_WRONLY, octal(2), arg(3), length_of(arg(3)));
	if (IS("put"))
		return write_file(arg(1), O_CREAT | O_TRUNC | O_WRONLY, 0644, arg(2), length_of(arg(2)));
	if (IS("add")) return write_file(arg(1), O_WRONLY | O_APPEND, 0, arg(2), length_of(arg(2)));
	if (IS("big")) {
		for (word at = 0; at < sizeof(buffer); at++)
			buffer[at] = 'a' + at / 4096 % 26;
		return write_file(arg(1), O_CREAT | O_WRONLY, 0644, (char *)buffer, decimal(2));
	}
	if (IS("many")) {
		for (int i = 0; i < decimal(2); i++) {
			char path[300];
			word length = length_of(arg(1));
			memcpy(path, arg(1), length);
			for (int at = 3, rest = i; at >= 0; at--, rest /= 10)
				path[length + at] = '0' + rest % 10;
			path[length + 4] = 0;
			long result = write_file(path, O_CREAT | O_EXCL | O_WRONLY, 0644, 0, 0);
			if (result < 0) return result;
		}
		return 0;
	}
	if (IS("self")) return copy_self(arg(1));
	if (IS("exec")) return start(arg(1), "noop", 1);
	if (IS("execbg")) return start(arg(1), "hold", 0);
	if (IS("symlink")) return CALL(symlinkat, arg(1), HERE, arg(2));
	if (IS("link")) return CALL(linkat, HERE, arg(1), HERE, arg(2), has("follow") ? AT_SYMLINK_FOLLOW : 0);
	if (IS("rename")) return CALL(renameat2, HERE, arg(1), HERE, arg(2), decimal(3));
	if (IS("mkfifo")) return CALL(mknodat, HERE, arg(1), S_IFIFO | octal(2), 0);
	if (IS("mknod")) {
		word major = decimal(4), minor = decimal(5);
		return CALL(mknodat, HERE, arg(1), device_type(2) | octal(3),
			    (minor & 0xff) | major << 8 | (minor & ~0xff) << 12);
	}
	if (IS("chmod")) return CALL(fchmodat, HERE, arg(1), octal(2));
	if (IS("chown")) return CALL(chown32, arg(1), (word)decimal(2), (word)decimal(3));
	if (IS("lchown")) return CALL(lchown32, arg(1), (word)decimal(2), (word)decimal(3));
	if (IS("truncate")) {
		wide size = decimal(2);
		return CALL(truncate64, arg(1), (word)size, (word)(size >> 32));
	}
	if (IS("utimens")) return set_times(HERE, arg(1), 2, nofollow());
	if (IS("access")) return CALL(faccessat, HERE, arg(1), octal(2));
	if (IS("chdir")) return CALL(chdir, arg(1));
	if (IS("umask")) {
		CALL(umask, octal(1));
		return 0;
	}
	if (IS("user")) {
		become(decimal(1), decimal(2));
		return 0;
	}
	if (IS("root")) {
		become(0, 0);
		return 0;
	}
	if (IS("tick")) {
		tick();
		return 0;
	}

	if (IS("stat")) return say_stat(HERE, arg(1), AT_SYMLINK_NOFOLLOW);
	if (IS("statfollow")) return say_stat(HERE, arg(1), 0);
	if (IS("fstat")) return say_stat(FD(1), "", AT_EMPTY_PATH);
	if (IS("links") || IS("times") || IS("blocks")) {
		struct statx stat;
		long result = stat_at(HERE, arg(1), AT_SYMLINK_NOFOLLOW, &stat);
		if (result < 0) return result;
		if (IS("links")) say_decimal(stat.stx_nlink);
		else if (IS("blocks")) say(stat.stx_blocks * 512 < stat.stx_size ? "holes" : "full");
		else {
			if (!has("mtime")) {
				say_time(&stat.stx_atime);
				put(' ');
			}
			say_time(&stat.stx_mtime);
		}
		return 1;
	}
	if (IS("same")) {
		struct statx a, b;
		long result = stat_at(HERE, arg(1), AT_SYMLINK_NOFOLLOW, &a);
		if (result == 0) result = stat_at(HERE, arg(2), AT_SYMLINK_NOFOLLOW, &b);
		if (result < 0) return result;
		say(a.stx_ino == b.stx_ino && a.stx_dev_minor == b.stx_dev_minor ? "yes" : "no");
		return 1;
	}
	if (IS("mark")) {
		long result = stat_at(HERE, arg(1), AT_SYMLINK_NOFOLLOW, &marks[mark_of(arg(1))].stat);
		tick();
		return result;
	}
	if (IS("since")) {
		struct statx now;
		long result = stat_at(HERE, arg(1), AT_SYMLINK_NOFOLLOW, &now);
		return result < 0 ? result : since(&marks[mark_of(arg(count > 2 ? 2 : 1))].stat, &now);
	}
	if (IS("fsince")) {
		struct statx now;
		long result = stat_at(FD(1), "", AT_EMPTY_PATH, &now);
		return result < 0 ? result : since(&marks[mark_of(arg(2))].stat, &now);
	}
	if (IS("readlink")) {
		long got = CALL(readlinkat, HERE, arg(1), buffer, sizeof(buffer));
		if (got < 0) return got;
		say_bytes(buffer, got);
		return 1;
	}
	if (IS("ls") || IS("cat")) {
		fd = open_at(arg(1), IS("ls") ? O_RDONLY | O_DIRECTORY : O_RDONLY, 0);
		if (fd < 0) return fd;
		long result = IS("ls") ? say_entries(fd) : say_content(fd);
		CALL(close, fd);
		return result;
	}
	if (IS("fls")) {
		CALL(_llseek, FD(1), 0, 0, buffer, 0);
		return say_entries(FD(1));
	}

	if (IS("open")) {
		const char *mode = arg(count - 1);
		fd = open_at(arg(2), open_flags(3), number_at(&mode, 8));
		if (fd < 0) return fd;
		FD(1) = fd;
		return 0;
	}
	if (IS("close")) {
		fd = FD(1);
		FD(1) = -1;
		return CALL(close, fd);
	}
	if (IS("read") || IS("pread")) {
		wide at = decimal(3);
		word want = decimal(2);
		long got = IS("read") ? CALL(read, FD(1), buffer, want)
				      : CALL(pread64, FD(1), buffer, want, (word)at, (word)(at >> 32));
		if (got < 0) return got;
		say_bytes(buffer, got);
		return 1;
	}
	if (IS("write")) {
		long done = CALL(write, FD(1), arg(2), length_of(arg(2)));
		return done < 0 ? done : 0;
	}
	if (IS("pwrite")) {
		wide at = decimal(3);
		long done = CALL(pwrite64, FD(1), arg(2), length_of(arg(2)), (word)at, (word)(at >> 32));
		return done < 0 ? done : 0;
	}
	if (IS("seek")) {
		wide to = decimal(2), at = 0;
		long result = CALL(_llseek, FD(1), (word)(to >> 32), (word)to, &at,
				   same(arg(3), "end") ? 2 : same(arg(3), "cur") ? 1 : 0);
		if (result < 0) return result;
		say_decimal(at);
		return 1;
	}
	if (IS("ftruncate")) {
		wide size = decimal(2);
		return CALL(ftruncate64, FD(1), (word)size, (word)(size >> 32));
	}
	if (IS("fchmod")) return CALL(fchmod, FD(1), octal(2));
	if (IS("fchown")) return CALL(fchown32, FD(1), (word)decimal(2), (word)decimal(3));
	if (IS("futimens")) return set_times(FD(1), 0, 2, 0);
	if (IS("fsync")) return CALL(fsync, FD(1));
	if (IS("fchdir")) return CALL(fchdir, FD(1));
	if (IS("createat")) {
		fd = CALL(openat, FD(1), arg(2), O_CREAT | O_EXCL | O_WRONLY, 0644);
		return fd < 0 ? fd : CALL(close, fd);
	}
	if (IS("linkfd")) return CALL(linkat, FD(1), "", HERE, arg(2), AT_EMPTY_PATH);
	if (IS("fallocate")) return CALL(fallocate, FD(1), (word)decimal(4), (word)decimal(2), 0, (word)decimal(3), 0);
	if (IS("copyrange")) {
		long done = CALL(copy_file_range, FD(1), 0, FD(2), 0, (word)decimal(3), 0);
		return done < 0 ? done : 0;
	}
	if (IS("lock")) return lock_file(FD(1), arg(2));
	if (IS("flock")) return CALL(flock, FD(1), (same(arg(2), "wr") ? 2 : 1) | 4);
	if (IS("map")) {
		int shared = has("shared"), writable = has("write");
		long at = CALL(mmap2, 0, 65536, writable ? 3 : 1, shared ? 1 : 2, FD(2), 0);
		if (at < 0 && at > -4096) return at;
		maps[slot(1)] = (char *)at;
		return 0;
	}
	if (IS("mapread")) {
		say_bytes((unsigned char *)maps[slot(1)] + (word)decimal(2), decimal(3));
		return 1;
	}
	if (IS("mapwrite")) {
		memcpy(maps[slot(1)] + (word)decimal(2), arg(3), length_of(arg(3)));
		return 0;
	}
	if (IS("msync")) return CALL(msync, maps[slot(1)], 65536, 4);

	if (IS("setxattr") || IS("lsetxattr")) {
		int flag = same(arg(4), "create") ? 1 : same(arg(4), "replace") ? 2 : 0;
		word length = length_of(arg(3));
		return IS("setxattr") ? CALL(setxattr, arg(1), arg(2), arg(3), length, flag)
				      : CALL(lsetxattr, arg(1), arg(2), arg(3), length, flag);
	}
	if (IS("bigxattr")) {
		memset(buffer, 'v', sizeof(buffer));
		return CALL(setxattr, arg(1), arg(2), buffer, (word)decimal(3), 0);
	}
	if (IS("getxattr") || IS("lgetxattr")) {
		word room = count > 3 ? decimal(3) : sizeof(buffer);
		long got = IS("getxattr") ? CALL(getxattr, arg(1), arg(2), buffer, room)
					  : CALL(lgetxattr, arg(1), arg(2), buffer, room);
		if (got < 0) return got;
		if (room == 0) say_decimal(got);
		else say_bytes(buffer, got);
		return 1;
	}
	if (IS("capability")) {
		/* cap_net_bind_service, permitted and effective (linux/capability.h, revision 2) */
		static const word value[5] = {0x02000001, 0x400, 0, 0, 0};
		return CALL(setxattr, arg(1), "security.capability", value, sizeof(value), 0);
	}
	if (IS("removexattr")) return CALL(removexattr, arg(1), arg(2));
	if (IS("lremovexattr")) return CALL(lremovexattr, arg(1), arg(2));
	if (IS("listxattr")) return say_list(CALL(llistxattr, arg(1), buffer, sizeof(buffer)));
	fail("no such operation:", name);
	return 0;
}

/* -- cases -------------------------------------------------------------------------------- */

static char text[1 << 18];

static const char *line_end(const char *line)
{
	while (*line && *line != '\n')
		line++;
	return line;
}

static int begins(const char *line, const char *with)
{
	while (*with)
		if (*line++ != *with++)
			return 0;
	return 1;
}

/* The lines of one section of a case; `from` is the line after "case". */
static void each_line(const char *from, const char *section, int print)
{
	int within = 0;
	for (const char *line = from; *line && !begins(line, "case "); ) {
		const char *end = line_end(line);
		const char *first = line;
		while (first < end && (*first == ' ' || *first == '\t'))
			first++;
		if (first == line && first < end && *first != '#')
			within = begins(line, section);
		else if (within && first < end && *first != '#') {
			split(first, end);
			if (print) {
				for (const char *at = first; at < end; at++)
					put(*at);
				say(" -> ");
			}
			long result = act();
			if (print) {
				if (result < 0)
					say_error(result);
				else if (result == 0)
					say("ok");
				put('\n');
			} else if (result < 0) {
				say_error(result);
				fail(" came of", words[0]);
			}
		}
		line = *end ? end + 1 : end;
	}
}

static void name_folder(char *path, int number)
{
	for (int at = 3; at >= 0; at--, number /= 10)
		path[at] = '0' + number % 10;
	path[4] = 0;
}

static void run_case(const char *mode, const char *title, const char *body, int number)
{
	char folder[8];
	name_folder(folder, number);
	CALL(umask, 022);
	int removes = same(mode, "remake"), makes = removes || same(mode, "setup");
	if (removes && each_entry(folder, remove_one) < 0)
		fail("cannot remove", folder);
	if (makes && CALL(mkdirat, HERE, folder, 0777) < 0)
		fail("cannot make", folder);
	if (makes && CALL(fchmodat, HERE, folder, 0777) < 0)
		fail("cannot open to all", folder);
	if (same(mode, "touch")) {
		if (each_entry(folder, touch_one) < 0)
			fail("cannot touch", folder);
		return;
	}
	flush();
	long pid = CALL(fork);
	if (pid < 0)
		fail("cannot fork", "");
	if (pid > 0) {
		int status = 0;
		while (CALL(waitpid, pid, &status, 0) == -EINTR)
			;
		if (status) {
			say("runner: the case ended with ");
			say_number(status, 16, 1);
			put('\n');
			if (!same(mode, "run"))
				fail("in", folder);
		}
		return;
	}
	if (CALL(chdir, folder) < 0)
		fail("cannot enter", folder);
	if (same(mode, "run")) {
		say("case ");
		for (const char *at = title; at < line_end(title); at++)
			put(*at);
		put('\n');
		each_line(body, "run", 1);
		if (child)
			CALL(kill, child, 9);
	} else
		each_line(body, "setup", 0);
	flush();
	CALL(exit, 0);
}

void begin(char **stack)
{
	int argc = (int)(long)stack[0];
	char **argv = stack + 1;
	self = "/proc/self/exe";
	if (argc > 1 && same(argv[1], "noop"))
		CALL(exit, 7);
	if (argc > 1 && same(argv[1], "hold"))
		for (;;)
			CALL(pause);
	if (argc < 4)
		fail("usage: runner setup|touch|remake|run FILE FOLDER [CASE]", "");
	for (int i = 0; i < 26; i++)
		slots[i] = -1;
	long fd = open_at(argv[2], O_RDONLY, 0);
	if (fd < 0)
		fail("cannot read", argv[2]);
	word length = 0;
	for (long got; (got = CALL(read, fd, text + length, sizeof(text) - 1 - length)) > 0;)
		length += got;
	CALL(close, fd);
	if (length == sizeof(text) - 1)
		fail("too long:", argv[2]);
	if (CALL(chdir, argv[3]) < 0)
		fail("cannot enter", argv[3]);
	int number = 0;
	for (const char *line = text; *line;) {
		const char *end = line_end(line);
		if (begins(line, "case ")) {
			const char *body = *end ? end + 1 : end;
			name_folder((char *)words[0], number);
			if (argc < 5 || same(argv[4], words[0]))
				run_case(argv[1], line + 5, body, number);
			number++;
		}
		line = *end ? end + 1 : end;
	}
	flush();
	CALL(exit, 0);
}
