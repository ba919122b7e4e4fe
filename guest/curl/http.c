#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "curl.h"
#include "stream.h"

#define MOST_REDIRECTS 50

struct answer {
	int status;
	bool has_length, is_chunked;
	long long length;
	char type[256], location[4096];
};

static struct stream stream;

static bool is_named(const char *header, const char *name)
{
	size_t length = strlen(name);

	return !strncasecmp(header, name, length) && header[length] == ':';
}

/* A header of the command line takes the place of the one that would be sent. */
static bool is_given(const struct options *options, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < options->headers.count; i++) {
		const char *header = options->headers.items[i];

		if (!strncasecmp(header, name, length) && strchr(":;", header[length]))
			return true;
	}
	return false;
}

static char *base64(const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = strlen(text);
	char *made = allocate(length / 3 * 4 + 5);
	char *out = made;

	for (size_t i = 0; i < length; i += 3) {
		unsigned bits = (unsigned char)text[i] << 16;

		bits |= i + 1 < length ? (unsigned char)text[i + 1] << 8 : 0;
		bits |= i + 2 < length ? (unsigned char)text[i + 2] : 0;
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = i + 1 < length ? digits[bits >> 6 & 63] : '=';
		*out++ = i + 2 < length ? digits[bits & 63] : '=';
	}
	*out = 0;
	return made;
}

static void show_lines(const char *mark, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\r\n");

		fprintf(stderr, "%s %.*s\n", mark, (int)length, text);
		text += length;
		text += strspn(text, "\r");
		text += *text == '\n';
	}
}

static int send_request(const struct options *options, const struct url *url,
			const char *method, const char *user, bool with_body)
{
	char *text;
	size_t size;
	FILE *request = open_memstream(&text, &size);
	int code;

	fprintf(request, "%s %s HTTP/1.1\r\n", method, url->path);
	if (!is_given(options, "Host")) {
		fprintf(request, "Host: %s", url->host);
		if (url->port != 80)
			fprintf(request, ":%d", url->port);
		fputs("\r\n", request);
	}
	if (user && !is_given(options, "Authorization")) {
		char *coded = base64(user);

		fprintf(request, "Authorization: Basic %s\r\n", coded);
		free(coded);
	}
	if (*options->agent && !is_given(options, "User-Agent"))
		fprintf(request, "User-Agent: %s\r\n", options->agent);
	if (!is_given(options, "Accept"))
		fputs("Accept: */*\r\n", request);
	for (size_t i = 0; i < options->headers.count; i++) {
		const char *header = options->headers.items[i];
		size_t length = strlen(header);
		const char *colon = strchr(header, ':');

		/* `Name:` takes away, `Name;` sends it empty */
		if (colon && colon[1 + strspn(colon + 1, " \t")])
			fprintf(request, "%s\r\n", header);
		else if (!colon && length && header[length - 1] == ';')
			fprintf(request, "%.*s:\r\n", (int)length - 1, header);
	}
	if (with_body) {
		fprintf(request, "Content-Length: %zu\r\n", options->body_length);
		if (!is_given(options, "Content-Type"))
			fputs("Content-Type: application/x-www-form-urlencoded\r\n", request);
	}
	fputs("\r\n", request);
	fclose(request);
	if (options->verbose)
		show_lines(">", text);
	code = stream_send(&stream, text, size);
	if (code == OK && with_body)
		code = stream_send(&stream, options->body, options->body_length);
	free(text);
	return code;
}

/* Reads a status line and its headers, those of a 1xx passed over. */
static int read_head(const struct options *options, struct answer *answer, struct output *output)
{
	char line[8192];
	int code = stream_fill(&stream);

	if (code == -1)
		return fail(NOTHING_CAME, "Empty reply from server");
	if (code)
		return code;
	do {
		memset(answer, 0, sizeof *answer);
		for (bool is_first = true;; is_first = false) {
			code = stream_line(&stream, line, sizeof line);
			if (code)
				return code > 0 ? code : fail(RECEIVE_ERROR, "Recv failure: the headers ended early");
			if (is_first && sscanf(line, "HTTP/%*d.%*d %3d", &answer->status) != 1)
				return fail(UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed");
			if (options->verbose)
				fprintf(stderr, "< %s\n", line);
			if (options->include || options->head) {
				code = output_write(output, line, strlen(line));
				if (code == OK)
					code = output_write(output, "\r\n", 2);
				if (code)
					return code;
			}
			if (!*line)
				break;
			char *value = strchr(line, ':');

			value = value ? value + 1 + strspn(value + 1, " \t") : line;
			if (is_named(line, "Content-Length")) {
				answer->has_length = true;
				answer->length = strtoll(value, NULL, 10);
			} else if (is_named(line, "Transfer-Encoding")) {
				answer->is_chunked = strcasestr(value, "chunked");
			} else if (is_named(line, "Content-Type")) {
				snprintf(answer->type, sizeof answer->type, "%.255s", value);
			} else if (is_named(line, "Location")) {
				snprintf(answer->location, sizeof answer->location, "%.4095s", value);
			}
		}
	} while (answer->status >= 100 && answer->status < 200);
	return OK;
}

/* `length` < 0: to the end of the connection. */
static int read_bytes(long long length, struct output *output, long long *size)
{
	while (length) {
		int code = stream_fill(&stream);
		size_t n = stream.end - stream.start;

		if (code == -1 && length < 0)
			return OK;
		if (code == -1)
			return fail(PARTIAL_FILE,
				    "transfer closed with %lld bytes remaining to read", length);
		if (code)
			return code;
		if (length > 0 && (long long)n > length)
			n = length;
		code = output_write(output, stream.bytes + stream.start, n);
		if (code)
			return code;
		stream.start += n;
		*size += n;
		if (length > 0)
			length -= n;
	}
	return OK;
}

static int read_chunks(struct output *output, long long *size)
{
	char line[1024];

	for (;;) {
		char *end;
		long long length;
		int code = stream_line(&stream, line, sizeof line);

		if (code)
			break;
		length = strtoll(line, &end, 16);
		if (end == line || length < 0)
			return fail(RECEIVE_ERROR, "Illegal or missing hexadecimal sequence in chunked-encoding");
		if (!length) {
			while ((code = stream_line(&stream, line, sizeof line)) == 0 && *line)
				;
			return code > 0 ? code : OK;
		}
		code = read_bytes(length, output, size);
		if (code)
			return code;
		if (stream_line(&stream, line, sizeof line))
			break;
	}
	return fail(PARTIAL_FILE, "transfer closed with outstanding read data remaining");
}

static int read_body(const struct answer *answer, const char *method, struct output *output,
		     long long *size)
{
	if (!strcmp(method, "HEAD") || answer->status == 204 || answer->status == 304)
		return OK;
	if (answer->is_chunked)
		return read_chunks(output, size);
	return read_bytes(answer->has_length ? answer->length : -1, output, size);
}

static bool is_redirect(const struct answer *answer)
{
	return answer->status / 100 == 3 && answer->status != 304 && *answer->location;
}

/* One request and its answer. Where that leads elsewhere, `method` and `with_body` become those of the next. */
static int ask(const struct options *options, struct url *url, const char **method,
	       bool *with_body, const char *user, struct output *output, struct transfer *transfer,
	       struct answer *answer)
{
	bool is_followed;
	int code = send_request(options, url, *method, user, *with_body);

	if (code == OK)
		code = read_head(options, answer, output);
	if (code)
		return code;
	transfer->status = answer->status;
	memcpy(transfer->content_type, answer->type, sizeof answer->type);
	if (options->fail && answer->status >= 400)
		return fail(HTTP_ERROR, "The requested URL returned error: %d", answer->status);
	is_followed = options->location && is_redirect(answer);
	transfer->size = 0;
	if (!is_followed)
		return read_body(answer, *method, output, &transfer->size);
	/* as browsers do, a form that was posted leads to a page that is got */
	if (answer->status == 303 || (answer->status < 303 && !strcmp(*method, "POST"))) {
		if (!options->method && strcmp(*method, "HEAD"))
			*method = "GET";
		*with_body = false;
	}
	return OK;
}

int http_get(const struct options *options, const char *text, struct output *output,
	     struct transfer *transfer)
{
	bool with_body = options->body;
	const char *method = options->method ? options->method :
			     options->head ? "HEAD" : with_body ? "POST" : "GET";
	double begun = now();
	struct url url, next;
	char first_host[256];
	struct answer answer;
	int code = url_parse(&url, text, NULL);

	memset(transfer, 0, sizeof *transfer);
	strcpy(first_host, url.host);
	while (code == OK) {
		/* a password is for the host that it was given for */
		const char *user = url.user ? url.user :
				   !strcmp(first_host, url.host) ? options->user : NULL;

		code = stream_open(&stream, options, url.host, url.port, begun);
		if (code == OK)
			code = ask(options, &url, &method, &with_body, user, output, transfer, &answer);
		stream_close(&stream);
		if (code || !options->location || !is_redirect(&answer))
			break;
		if (transfer->redirects++ == MOST_REDIRECTS) {
			code = fail(TOO_MANY_REDIRECTS, "Maximum (%d) redirects followed", MOST_REDIRECTS);
			break;
		}
		code = url_parse(&next, answer.location, &url);
		url_free(&url);
		url = next;
	}
	transfer->seconds = now() - begun;
	transfer->url = url.text ? strdup(url.text) : strdup(text);
	url_free(&url);
	return code;
}
