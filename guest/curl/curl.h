/* What the parts of curl share. */
#ifndef LAYERBOX_CURL_H
#define LAYERBOX_CURL_H

#include <stdbool.h>
#include <stddef.h>

/* Exit codes, those of curl. */
enum {
	OK = 0,
	UNSUPPORTED_PROTOCOL = 1,
	FAILED_INIT = 2,
	BAD_URL = 3,
	UNKNOWN_HOST = 6,
	NOT_CONNECTED = 7,
	PARTIAL_FILE = 18,
	HTTP_ERROR = 22,
	WRITE_ERROR = 23,
	READ_ERROR = 26,
	TIMED_OUT = 28,
	TOO_MANY_REDIRECTS = 47,
	NOTHING_CAME = 52,
	SEND_ERROR = 55,
	RECEIVE_ERROR = 56,
};

struct list {
	const char **items;
	size_t count;
};

/* The command line. */
struct options {
	struct list urls, outputs, headers;
	const char *method, *agent, *user, *write_out;
	char *body; /* NULL: none */
	size_t body_length;
	bool fail, globoff, head, include, location, remote_name, show_error;
	bool silent, verbose;
	double connect_timeout, max_time; /* seconds, 0: as long as it takes */
};

/* Ends the program when the command line is none. */
void options_read(struct options *options, char **argv);

struct url {
	char host[256];
	int port;
	char *path; /* with the query, without the fragment */
	char *user; /* NULL: none */
	char *text; /* as it is shown */
};

/* OK, BAD_URL or UNSUPPORTED_PROTOCOL. `base` is where a Location came from, or NULL. */
int url_parse(struct url *url, const char *text, const struct url *base);
void url_free(struct url *url);

/* What came of one URL, redirects followed. */
struct transfer {
	int status;
	int redirects;
	long long size;
	char content_type[256];
	double seconds;
	char *url;
};

/* Where an answer goes: a file is made when its first byte comes, as curl does it. */
struct output {
	const char *name; /* NULL: standard output */
	int fd;		  /* -1: not open yet */
};

/* Exit codes; the reason is in `failure`. */
int output_write(struct output *output, const void *bytes, size_t length);
int http_get(const struct options *options, const char *url, struct output *output,
	     struct transfer *transfer);

/* Why the last transfer failed, without a line feed. */
extern char failure[512];
__attribute__((format(printf, 2, 3))) int fail(int code, const char *format, ...);

void *allocate(size_t size);
double now(void); /* seconds of a clock that only goes forward */

#endif
