#include "netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char *end_of(struct netlink_request *r)
{
	return (char *)r + NLMSG_ALIGN(r->header.nlmsg_len);
}

void netlink_begin(struct netlink_request *r, uint16_t type, uint16_t flags,
		   const void *body, size_t size)
{
	memset(r, 0, sizeof *r);
	r->header.nlmsg_len = NLMSG_LENGTH(size);
	r->header.nlmsg_type = type;
	r->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	memcpy(NLMSG_DATA(&r->header), body, size);
}

static struct nlattr *put(struct netlink_request *r, uint16_t type,
			  const void *value, size_t size)
{
	struct nlattr *attribute = (void *)end_of(r);
	size_t length = NLA_HDRLEN + NLA_ALIGN(size);

	/* What does not fit makes the request longer than its buffer, and
	 * netlink_ask refuses that. */
	if ((char *)attribute + length > (char *)r + sizeof *r) {
		r->header.nlmsg_len = sizeof *r + 1;
		return NULL;
	}
	attribute->nla_len = NLA_HDRLEN + size;
	attribute->nla_type = type;
	memcpy((char *)attribute + NLA_HDRLEN, value, size);
	r->header.nlmsg_len = (char *)attribute + length - (char *)r;
	return attribute;
}

void netlink_put(struct netlink_request *r, uint16_t type, const void *value,
		 size_t size)
{
	put(r, type, value, size);
}

void netlink_put_text(struct netlink_request *r, uint16_t type,
		      const char *text)
{
	put(r, type, text, strlen(text) + 1);
}

struct nlattr *netlink_nest(struct netlink_request *r, uint16_t type,
			    const void *body, size_t size)
{
	return put(r, type, body, size);
}

void netlink_nest_end(struct netlink_request *r, struct nlattr *nest)
{
	if (nest && r->header.nlmsg_len <= sizeof *r)
		nest->nla_len = end_of(r) - (char *)nest;
}

int netlink_ask(struct netlink_request *r)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[2048]; /* the kernel quotes what it refuses */
	} answer;
	int error = 0, fd;

	if (r->header.nlmsg_len > sizeof *r)
		return EMSGSIZE;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return errno;
	if (send(fd, r, r->header.nlmsg_len, 0) < 0 ||
	    recv(fd, &answer, sizeof answer, 0) < 0)
		error = errno;
	else if (answer.header.nlmsg_type == NLMSG_ERROR)
		error = -answer.error.error;
	close(fd);
	return error;
}
