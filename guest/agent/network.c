#include "network.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "file.h"

void network_start(void)
{
	struct ifreq request = { .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(request.ifr_name, "lo");
	ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	file_write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
	file_write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
}
