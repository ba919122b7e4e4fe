/* curl, as far as the host of containers needs one: it asks ports over HTTP/1.1, in
 * the options, words and exit codes of curl. There is no TLS and no other protocol,
 * since nothing outside of the sandbox can be reached; what it does not know it
 * refuses by name. There is no progress meter. */
#include "curl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

char failure[512];

int fail(int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(failure, sizeof failure, format, arguments);
	va_end(arguments);
	return code;
}

void *allocate(size_t size)
{
	void *made = malloc(size);

	if (!made)
		abort();
	return made;
}

double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void write_variable(const struct transfer *transfer, const char *name, size_t length, int code)
{
#define IS(text) (length == strlen(text) && !strncmp(name, text, length))
	if (IS("http_code") || IS("response_code"))
		printf("%03d", transfer->status);
	else if (IS("size_download"))
		printf("%lld", transfer->size);
	else if (IS("time_total"))
		printf("%.6f", transfer->seconds);
	else if (IS("content_type"))
		fputs(transfer->content_type, stdout);
	else if (IS("url_effective"))
		fputs(transfer->url ? transfer->url : "", stdout);
	else if (IS("num_redirects"))
		printf("%d", transfer->redirects);
	else if (IS("exitcode"))
		printf("%d", code);
	else if (IS("errormsg"))
		fputs(code ? failure : "", stdout);
	else
		fprintf(stderr, "curl: unknown --write-out variable: '%.*s'\n", (int)length, name);
#undef IS
}

static void write_out(const char *format, const struct transfer *transfer, int code)
{
	for (; *format; format++) {
		const char *end;

		if (format[0] == '%' && format[1] == '{' && (end = strchr(format, '}'))) {
			write_variable(transfer, format + 2, end - format - 2, code);
			format = end;
		} else if (format[0] == '%' && format[1] == '%') {
			putchar(*++format);
		} else if (format[0] == '\\' && format[1] && strchr("nrt\\", format[1])) {
			format++;
			putchar(*format == 'n' ? '\n' : *format == 'r' ? '\r' : *format == 't' ? '\t' : '\\');
		} else {
			putchar(*format);
		}
	}
	fflush(stdout);
}

static int not_written(void)
{
	return fail(WRITE_ERROR, "Failure writing output to destination");
}

int output_write(struct output *output, const void *bytes, size_t length)
{
	const char *at = bytes;

	if (output->fd < 0)
		output->fd = open(output->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (output->fd < 0)
		return not_written();
	while (length) {
		ssize_t n = write(output->fd, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return not_written();
		at += n;
		length -= n;
	}
	return OK;
}

/* The last part of the URL's path. */
static int name_of(const char *url, char *name, size_t size)
{
	const char *path = strstr(url, "://");
	size_t length, start;

	path = path ? path + 3 : url;
	length = strcspn(path, "?#");
	for (start = length; start && path[start - 1] != '/';)
		start--;
	if (!start || start == length || length - start >= size)
		return fail(WRITE_ERROR, "Remote file name has no length!");
	memcpy(name, path + start, length - start);
	name[length - start] = 0;
	return OK;
}

static int get(const struct options *options, size_t number, struct transfer *transfer)
{
	const char *url = options->urls.items[number];
	struct output output = { NULL, -1 };
	char name[256];
	int code = OK;

	if (!options->globoff && strpbrk(url, "{}[]"))
		return fail(BAD_URL, "braces and brackets in a URL are not supported: -g takes them as they are");
	if (number < options->outputs.count)
		output.name = options->outputs.items[number];
	else if (options->remote_name) {
		code = name_of(url, name, sizeof name);
		output.name = name;
	}
	if (!output.name || !strcmp(output.name, "-"))
		output.fd = STDOUT_FILENO;
	if (code == OK)
		code = http_get(options, url, &output, transfer);
	if (code == OK)
		code = output_write(&output, "", 0);
	if (output.fd > STDOUT_FILENO && close(output.fd) < 0 && code == OK)
		code = not_written();
	return code;
}

int main(int argc, char **argv)
{
	struct options options;
	int code = OK;

	(void)argc;
	options_read(&options, argv);
	for (size_t i = 0; i < options.urls.count; i++) {
		struct transfer transfer = { 0 };

		code = get(&options, i, &transfer);
		if (options.write_out)
			write_out(options.write_out, &transfer, code);
		if (code && (!options.silent || options.show_error))
			fprintf(stderr, "curl: (%d) %s\n", code, failure);
		free(transfer.url);
	}
	return code;
}
