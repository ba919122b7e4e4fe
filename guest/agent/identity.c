#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"
#include "launch.h"

#define MAX_GROUPS 256

static void take_groups(const char *list)
{
	gid_t groups[MAX_GROUPS];
	size_t count = 0;
	char *end;

	while (list && *list && count < MAX_GROUPS) {
		groups[count++] = strtoul(list, &end, 10);
		if (end == list)
			break;
		list = *end == ',' ? end + 1 : end;
	}
	if (setgroups(count, groups) < 0)
		child_fail("groups");
}

static void limit_bounding_set(uint64_t allowed)
{
	for (int capability = 0; capability < 64; capability++) {
		if (allowed >> capability & 1)
			continue;
		/* EINVAL: one that this kernel does not know */
		if (prctl(PR_CAPBSET_DROP, capability) < 0 && errno != EINVAL)
			child_fail("capabilities");
	}
}

static void limit_own_set(uint64_t allowed)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) < 0)
		child_fail("capabilities");
	for (int i = 0; i < 2; i++) {
		sets[i].permitted &= allowed >> (32 * i);
		sets[i].effective &= allowed >> (32 * i);
		sets[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, sets) < 0)
		child_fail("capabilities");
}

void identity_assume(const struct launch *l)
{
	/* While it is root with all of them: dropping from the bounding set and
	 * changing the user are capabilities themselves. A user other than root
	 * loses the rest by setuid. */
	limit_bounding_set(l->capabilities);
	take_groups(l->groups);
	if (setgid(l->gid) < 0)
		child_fail("gid");
	if (setuid(l->uid) < 0)
		child_fail("uid");
	limit_own_set(l->capabilities);
}
