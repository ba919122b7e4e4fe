/* A connection to a server, read with a deadline. */
#ifndef LAYERBOX_CURL_STREAM_H
#define LAYERBOX_CURL_STREAM_H

#include <stddef.h>

struct stream {
	int fd;
	double begun, deadline; /* of now(); deadline 0: none */
	size_t start, end;
	char bytes[16384];
};

struct options;

/* An exit code. `begun`: when the transfer did. */
int stream_open(struct stream *stream, const struct options *options,
		const char *host, int port, double begun);
int stream_send(struct stream *stream, const void *bytes, size_t length);
/* Waits for bytes when there are none. 0: there are some; -1: the end; else an exit code. */
int stream_fill(struct stream *stream);
/* A line without its end, valid until the next call; as stream_fill. */
int stream_line(struct stream *stream, char *line, size_t size);
void stream_close(struct stream *stream);

#endif
