/* The interpreter of programs for other machines (agent/binfmt.c): says what they
 * are and fails as a shell does for what it cannot execute. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXIT_NOT_EXECUTABLE 126

/* Architectures as images name them. */
static const char *architecture(const unsigned char *head)
{
	int is_big = head[EI_DATA] == ELFDATA2MSB;
	int machine = is_big ? head[18] << 8 | head[19] : head[19] << 8 | head[18];

	switch (machine) {
	case EM_X86_64:
		return "amd64";
	case EM_AARCH64:
		return "arm64";
	case EM_ARM:
		return "arm";
	case EM_PPC64:
		return is_big ? "ppc64" : "ppc64le";
	case EM_S390:
		return "s390x";
	case EM_RISCV:
		return "riscv64";
	case EM_MIPS:
		return is_big ? "mips64" : "mips64le";
	case 258:
		return "loong64";
	}
	return NULL;
}

/* The kernel passes the program's path as the first argument. */
int main(int argc, char **argv)
{
	const char *program = argc > 1 ? argv[1] : "?";
	unsigned char head[20] = { 0 };
	const char *name = NULL;
	char text[4096 + 256];
	int length, fd = open(program, O_RDONLY | O_CLOEXEC);

	/* a program may be executable and not readable */
	if (fd >= 0 && read(fd, head, sizeof head) == sizeof head)
		name = architecture(head);
	length = snprintf(text, sizeof text,
			  "exec %s: exec format error: it is a %s%s program, "
			  "and this machine runs linux/386 programs\n",
			  program, name ? "linux/" : "foreign",
			  name ? name : "");
	/* in one piece: a pipeline may start several at once */
	if (length > 0)
		write(STDERR_FILENO, text, length);
	return EXIT_NOT_EXECUTABLE;
}
