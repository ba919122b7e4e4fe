/* Links of the network namespace that the caller is in. Addresses are text:
 * `172.17.0.1/16`, `02:42:ac:11:00:02`. All return 0 or an errno. */
#ifndef LAYERBOX_LINK_H
#define LAYERBOX_LINK_H

/* A bridge with an address, up. Its own MAC address, as else it would change
 * with what is connected. */
int link_make_bridge(const char *name, const char *mac, const char *address);

/* A pair of virtual ethernet links: `host` here, at `bridge` and up; `name` in
 * the namespace `netns`, down and without an address. */
int link_make_pair(const char *host, const char *bridge, int netns,
		   const char *name, const char *mac);

/* Gives the link an address and sets it up. */
int link_set_address(const char *name, const char *address);

/* Removes the link; of a pair both ends go. */
int link_remove(const char *name);

/* All that has no better route goes this way; "" takes the way away. */
int link_set_gateway(const char *gateway);

#endif
