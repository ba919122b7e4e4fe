#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "netlink.h"

#define MAC_LENGTH 6

static bool is_name(const char *name)
{
	return name[0] && strlen(name) < IF_NAMESIZE && !strchr(name, '/');
}

static bool parse_mac(const char *text, unsigned char mac[MAC_LENGTH])
{
	int end = 0;

	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0],
		      &mac[1], &mac[2], &mac[3], &mac[4], &mac[5],
		      &end) == MAC_LENGTH && !text[end];
}

static bool parse_address(const char *text, struct in_addr *address,
			  unsigned *prefix)
{
	char host[INET_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	int end = 0;

	if (!slash || slash - text >= (int)sizeof host)
		return false;
	memcpy(host, text, slash - text);
	host[slash - text] = 0;
	return inet_pton(AF_INET, host, address) == 1 &&
	       sscanf(slash + 1, "%u%n", prefix, &end) == 1 &&
	       !slash[1 + end] && *prefix <= 32;
}

/* A change of the link `name`, which is there. Returns 0 or an errno. */
static int begin_change(struct netlink_request *r, const char *name,
			unsigned flags)
{
	struct ifinfomsg body = {
		.ifi_family = AF_UNSPEC, .ifi_flags = flags, .ifi_change = flags,
	};

	body.ifi_index = if_nametoindex(name);
	if (!body.ifi_index)
		return ENODEV;
	netlink_begin(r, RTM_NEWLINK, 0, &body, sizeof body);
	return 0;
}

static int set_up(const char *name)
{
	struct netlink_request r;
	int error = begin_change(&r, name, IFF_UP);

	return error ? error : netlink_ask(&r);
}

int link_make_bridge(const char *name, const char *mac_text,
		     const char *address)
{
	const struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	unsigned char mac[MAC_LENGTH];
	struct netlink_request r;
	struct nlattr *kind;
	int error;

	if (!is_name(name) || !parse_mac(mac_text, mac))
		return EINVAL;
	netlink_begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body,
		      sizeof body);
	netlink_put_text(&r, IFLA_IFNAME, name);
	netlink_put(&r, IFLA_ADDRESS, mac, sizeof mac);
	kind = netlink_nest(&r, IFLA_LINKINFO, "", 0);
	netlink_put_text(&r, IFLA_INFO_KIND, "bridge");
	netlink_nest_end(&r, kind);
	error = netlink_ask(&r);
	if (!error) {
		error = link_set_address(name, address);
		if (error)
			link_remove(name);
	}
	return error;
}

int link_make_pair(const char *host, const char *bridge, int netns,
		   const char *name, const char *mac_text)
{
	const struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct nlattr *kind, *info, *peer;
	unsigned char mac[MAC_LENGTH];
	struct netlink_request r;
	uint32_t master, fd = netns;
	int error;

	if (!is_name(host) || !is_name(name) || !parse_mac(mac_text, mac))
		return EINVAL;
	master = if_nametoindex(bridge);
	if (!master)
		return ENODEV;
	netlink_begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body,
		      sizeof body);
	netlink_put_text(&r, IFLA_IFNAME, host);
	kind = netlink_nest(&r, IFLA_LINKINFO, "", 0);
	netlink_put_text(&r, IFLA_INFO_KIND, "veth");
	info = netlink_nest(&r, IFLA_INFO_DATA, "", 0);
	peer = netlink_nest(&r, VETH_INFO_PEER, &body, sizeof body);
	netlink_put_text(&r, IFLA_IFNAME, name);
	netlink_put(&r, IFLA_ADDRESS, mac, sizeof mac);
	netlink_put(&r, IFLA_NET_NS_FD, &fd, sizeof fd);
	netlink_nest_end(&r, peer);
	netlink_nest_end(&r, info);
	netlink_nest_end(&r, kind);
	error = netlink_ask(&r);
	if (error)
		return error;
	error = begin_change(&r, host, IFF_UP);
	if (!error) {
		netlink_put(&r, IFLA_MASTER, &master, sizeof master);
		error = netlink_ask(&r);
	}
	if (error)
		link_remove(host);
	return error;
}

int link_set_address(const char *name, const char *text)
{
	struct ifaddrmsg body = {
		.ifa_family = AF_INET, .ifa_index = if_nametoindex(name),
	};
	struct in_addr address, broadcast;
	struct netlink_request r;
	unsigned prefix;
	int error;

	if (!body.ifa_index)
		return ENODEV;
	if (!parse_address(text, &address, &prefix))
		return EINVAL;
	body.ifa_prefixlen = prefix;
	broadcast.s_addr = address.s_addr |
			   htonl(prefix ? (1ULL << (32 - prefix)) - 1 : ~0U);
	netlink_begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body,
		      sizeof body);
	netlink_put(&r, IFA_LOCAL, &address, sizeof address);
	netlink_put(&r, IFA_ADDRESS, &address, sizeof address);
	netlink_put(&r, IFA_BROADCAST, &broadcast, sizeof broadcast);
	error = netlink_ask(&r);
	return error ? error : set_up(name);
}

int link_remove(const char *name)
{
	struct ifinfomsg body = {
		.ifi_family = AF_UNSPEC, .ifi_index = if_nametoindex(name),
	};
	struct netlink_request r;

	if (!body.ifi_index)
		return ENODEV;
	netlink_begin(&r, RTM_DELLINK, 0, &body, sizeof body);
	return netlink_ask(&r);
}

int link_set_gateway(const char *gateway)
{
	struct rtmsg body = {
		.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT, .rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct netlink_request r;
	struct in_addr address;
	int error;

	if (!gateway[0]) {
		body.rtm_scope = RT_SCOPE_NOWHERE;
		netlink_begin(&r, RTM_DELROUTE, 0, &body, sizeof body);
		error = netlink_ask(&r);
		return error == ESRCH ? 0 : error;
	}
	if (inet_pton(AF_INET, gateway, &address) != 1)
		return EINVAL;
	netlink_begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &body,
		      sizeof body);
	netlink_put(&r, RTA_GATEWAY, &address, sizeof address);
	return netlink_ask(&r);
}
