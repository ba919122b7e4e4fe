#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "curl.h"

#define VERSION "curl 0.1 (Layerbox; asks the ports of this sandbox over HTTP)\nProtocols: http\n"

static const char help[] =
	"Usage: curl [options...] <url>\n"
	" -A, --user-agent <name>       Send User-Agent <name> to server\n"
	"     --connect-timeout <secs>  Maximum time allowed for connection\n"
	" -d, --data <data>             HTTP POST data, @file from a file\n"
	"     --data-binary <data>      HTTP POST binary data\n"
	"     --data-raw <data>         HTTP POST data, '@' allowed\n"
	" -f, --fail                    Fail fast with no output on HTTP errors\n"
	" -g, --globoff                 Take braces and brackets in URLs as they are\n"
	" -h, --help                    Get help for commands\n"
	" -H, --header <header>         Pass custom header to server\n"
	" -I, --head                    Show document info only\n"
	" -i, --include                 Include protocol response headers in the output\n"
	" -L, --location                Follow redirects\n"
	" -m, --max-time <secs>         Maximum time allowed for transfer\n"
	" -N, --no-buffer               Disable buffering of the output stream\n"
	" -o, --output <file>           Write to file instead of stdout\n"
	" -O, --remote-name             Write output to a file named as the remote file\n"
	" -X, --request <method>        Specify request method to use\n"
	" -S, --show-error              Show error even when -s is used\n"
	" -s, --silent                  Silent mode\n"
	"     --url <url>               URL to work with\n"
	" -u, --user <user:password>    Server user and password\n"
	" -v, --verbose                 Make the operation more talkative\n"
	" -V, --version                 Show version number and quit\n"
	" -w, --write-out <format>      Use output FORMAT after completion\n";

enum argument { NONE, WANTED };

static const struct {
	const char *name;
	char letter; /* 0: none */
	char id;
	enum argument argument;
} known[] = {
	{ "user-agent", 'A', 'A', WANTED },   { "connect-timeout", 0, 'c', WANTED },
	{ "data", 'd', 'd', WANTED },	      { "data-ascii", 0, 'd', WANTED },
	{ "data-binary", 0, 'b', WANTED },    { "data-raw", 0, 'r', WANTED },
	{ "fail", 'f', 'f', NONE },	      { "globoff", 'g', 'g', NONE },
	{ "help", 'h', 'h', NONE },	      { "header", 'H', 'H', WANTED },
	{ "head", 'I', 'I', NONE },	      { "include", 'i', 'i', NONE },
	{ "location", 'L', 'L', NONE },	      { "max-time", 'm', 'm', WANTED },
	{ "no-buffer", 'N', 'N', NONE },      { "output", 'o', 'o', WANTED },
	{ "remote-name", 'O', 'O', NONE },    { "request", 'X', 'X', WANTED },
	{ "show-error", 'S', 'S', NONE },     { "silent", 's', 's', NONE },
	{ "url", 0, 'l', WANTED },	      { "user", 'u', 'u', WANTED },
	{ "verbose", 'v', 'v', NONE },	      { "version", 'V', 'V', NONE },
	{ "write-out", 'w', 'w', WANTED },
};
#define KNOWN (sizeof known / sizeof *known)

static _Noreturn void refuse(const char *option, const char *why)
{
	fprintf(stderr, "curl: option %s: %s\ncurl: try 'curl --help' for more information\n",
		option, why);
	exit(FAILED_INIT);
}

static void append(struct list *list, const char *item)
{
	list->items = realloc(list->items, (list->count + 1) * sizeof *list->items);
	if (!list->items)
		abort();
	list->items[list->count++] = item;
}

static double seconds(const char *option, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0 && value < 1e6))
		refuse(option, "expected a proper numerical parameter");
	return value;
}

static void add_data(struct options *options, const char *bytes, size_t length)
{
	size_t before = options->body ? options->body_length + 1 : 0;
	char *body = allocate(before + length + 1);

	if (options->body) {
		memcpy(body, options->body, before - 1);
		body[before - 1] = '&';
	}
	memcpy(body + before, bytes, length);
	free(options->body);
	options->body = body;
	options->body_length = before + length;
}

/* `@file`, `@-`; line ends are dropped unless it is `binary`. */
static void add_file(struct options *options, const char *name, bool binary)
{
	int fd = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC) : 0;
	size_t length = 0, kept = 0, capacity = 65536;
	char *bytes = allocate(capacity);
	ssize_t n;

	if (fd < 0) {
		fprintf(stderr, "curl: Failed to open %s\n", name);
		exit(READ_ERROR);
	}
	while ((n = read(fd, bytes + length, capacity - length)) > 0) {
		length += n;
		if (length == capacity) {
			bytes = realloc(bytes, capacity *= 2);
			if (!bytes)
				abort();
		}
	}
	for (size_t i = 0; i < length; i++)
		if (binary || !strchr("\r\n", bytes[i]) || !bytes[i])
			bytes[kept++] = bytes[i];
	add_data(options, bytes, kept);
	free(bytes);
	if (fd)
		close(fd);
}

static void set(struct options *options, size_t which, const char *option,
		const char *value)
{
	switch (known[which].id) {
	case 'A': options->agent = value; break;
	case 'H': append(&options->headers, value); break;
	case 'I': options->head = true; break;
	case 'L': options->location = true; break;
	case 'N': break; /* nothing is held back anyway */
	case 'O': options->remote_name = true; break;
	case 'S': options->show_error = true; break;
	case 'X': options->method = value; break;
	case 'b':
	case 'd':
		if (*value == '@')
			add_file(options, value + 1, known[which].id == 'b');
		else
			add_data(options, value, strlen(value));
		break;
	case 'c': options->connect_timeout = seconds(option, value); break;
	case 'f': options->fail = true; break;
	case 'g': options->globoff = true; break;
	case 'i': options->include = true; break;
	case 'l': append(&options->urls, value); break;
	case 'm': options->max_time = seconds(option, value); break;
	case 'o': append(&options->outputs, value); break;
	case 'r': add_data(options, value, strlen(value)); break;
	case 's': options->silent = true; break;
	case 'u': options->user = value; break;
	case 'v': options->verbose = true; break;
	case 'w': options->write_out = value; break;
	case 'V': fputs(VERSION, stdout); exit(OK);
	case 'h': fputs(help, stdout); exit(OK);
	}
}

/* A word of letters behind one dash; returns the last argument that it used. */
static char **read_letters(struct options *options, char **argv)
{
	for (const char *letter = *argv + 1; *letter; letter++) {
		char option[] = { '-', *letter, 0 };
		size_t which = 0;

		while (which < KNOWN && known[which].letter != *letter)
			which++;
		if (which == KNOWN)
			refuse(option, "is unknown");
		if (known[which].argument == NONE) {
			set(options, which, option, NULL);
			continue;
		}
		if (!letter[1] && !argv[1])
			refuse(option, "requires parameter");
		set(options, which, option, letter[1] ? letter + 1 : argv[1]);
		return letter[1] ? argv : argv + 1;
	}
	return argv;
}

static char **read_name(struct options *options, char **argv)
{
	size_t which = 0;

	while (which < KNOWN && strcmp(known[which].name, *argv + 2))
		which++;
	if (which == KNOWN)
		refuse(*argv, "is unknown");
	if (known[which].argument == NONE) {
		set(options, which, *argv, NULL);
		return argv;
	}
	if (!argv[1])
		refuse(*argv, "requires parameter");
	set(options, which, *argv, argv[1]);
	return argv + 1;
}

void options_read(struct options *options, char **argv)
{
	bool only_urls = false;

	memset(options, 0, sizeof *options);
	options->agent = "curl/0.1 (Layerbox)";
	for (argv++; *argv; argv++) {
		if (only_urls || **argv != '-' || !argv[0][1])
			append(&options->urls, *argv);
		else if (!strcmp(*argv, "--"))
			only_urls = true;
		else if (argv[0][1] == '-')
			argv = read_name(options, argv);
		else
			argv = read_letters(options, argv);
	}
	if (options->head && options->body) {
		fputs("curl: You can only select one HTTP request method!\n", stderr);
		exit(FAILED_INIT);
	}
	if (!options->urls.count) {
		fputs("curl: no URL specified!\ncurl: try 'curl --help' for more information\n", stderr);
		exit(FAILED_INIT);
	}
}
