#include "binfmt.h"

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>

#include "file.h"

#define INTERPRETER "/usr/lib/layerbox/foreign"
#define FOLDER "/proc/sys/fs/binfmt_misc"

/* 32-bit x86 must not be here: the rules come before the kernel's own loader. */
static const struct machine {
	const char *name;
	uint8_t class, order;
	uint16_t number;
} machines[] = {
	{ "x86_64", ELFCLASS64, ELFDATA2LSB, EM_X86_64 },
	{ "x32", ELFCLASS32, ELFDATA2LSB, EM_X86_64 },
	{ "aarch64", ELFCLASS64, ELFDATA2LSB, EM_AARCH64 },
	{ "arm", ELFCLASS32, ELFDATA2LSB, EM_ARM },
	{ "ppc64le", ELFCLASS64, ELFDATA2LSB, EM_PPC64 },
	{ "s390x", ELFCLASS64, ELFDATA2MSB, EM_S390 },
	{ "riscv64", ELFCLASS64, ELFDATA2LSB, EM_RISCV },
	{ "mips64le", ELFCLASS64, ELFDATA2LSB, EM_MIPS },
	{ "loong64", ELFCLASS64, ELFDATA2LSB, 258 },
};

static void add_rule(const struct machine *m)
{
	char rule[512];
	unsigned low = m->number & 0xff, high = m->number >> 8;
	unsigned first = m->order == ELFDATA2LSB ? low : high;
	unsigned second = m->order == ELFDATA2LSB ? high : low;

	/* Compared: magic, class, byte order and machine (bytes 18 and 19). F: the
	 * interpreter is opened now, a container has none at that path. */
	snprintf(rule, sizeof rule,
		 ":%s:M::\\x7fELF\\x%02x\\x%02x"
		 "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
		 "\\x%02x\\x%02x:"
		 "\\xff\\xff\\xff\\xff\\xff\\xff"
		 "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
		 "\\xff\\xff:" INTERPRETER ":F",
		 m->name, m->class, m->order, first, second);
	file_write(FOLDER "/register", rule);
}

void binfmt_register(void)
{
	mount("binfmt_misc", FOLDER, "binfmt_misc", 0, NULL);
	for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
		add_rule(&machines[i]);
}
