/* Route netlink: requests to the kernel about links, addresses and routes
 * (rtnetlink(7)), one at a time, each acknowledged. */
#ifndef LAYERBOX_NETLINK_H
#define LAYERBOX_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

struct netlink_request {
	struct nlmsghdr header;
	char rest[1024];
};

/* A request of `type` whose fixed part is `body`. */
void netlink_begin(struct netlink_request *request, uint16_t type,
		   uint16_t flags, const void *body, size_t size);
void netlink_put(struct netlink_request *request, uint16_t type,
		 const void *value, size_t size);
void netlink_put_text(struct netlink_request *request, uint16_t type,
		      const char *text);
/* What is put between these two is inside the attribute. */
struct nlattr *netlink_nest(struct netlink_request *request, uint16_t type,
			    const void *body, size_t size);
void netlink_nest_end(struct netlink_request *request, struct nlattr *nest);

/* Asks the network namespace that the caller is in. Returns 0 or an errno. */
int netlink_ask(struct netlink_request *request);

#endif
