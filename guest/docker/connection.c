#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "docker.h"
#include "request.h"

static int fd = -1;
static char partial[2 * (sizeof(struct frame_header) + MAX_PAYLOAD)];
static size_t length;

int connection_open(void)
{
	struct sockaddr_un address = { AF_UNIX, REQUEST_SOCKET };

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (void *)&address, sizeof address) < 0)
		return -1;
	return fd;
}

static void send_all(const void *bytes, size_t count)
{
	while (count) {
		ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			docker_fail("the connection to the engine is lost");
		bytes = (const char *)bytes + n;
		count -= n;
	}
}

void connection_send(uint8_t type, uint8_t flag, const void *payload,
		     size_t count)
{
	struct frame_header header = { count, 0, type, flag };

	send_all(&header, sizeof header);
	send_all(payload, count);
}

void connection_receive(void (*receive)(const struct frame_header *,
					const char *))
{
	size_t used = 0;
	ssize_t n = read(fd, partial + length, sizeof partial - length);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0)
		docker_fail("the connection to the engine is lost");
	length += n;
	for (;;) {
		struct frame_header header;

		if (length - used < sizeof header)
			break;
		memcpy(&header, partial + used, sizeof header);
		if (header.length > MAX_PAYLOAD)
			docker_fail("the engine does not keep to the protocol");
		if (length - used < sizeof header + header.length)
			break;
		receive(&header, partial + used + sizeof header);
		used += sizeof header + header.length;
	}
	memmove(partial, partial + used, length - used);
	length -= used;
}
