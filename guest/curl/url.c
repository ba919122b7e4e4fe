#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "curl.h"

static char *copy(const char *text, size_t length)
{
	char *made = allocate(length + 1);

	memcpy(made, text, length);
	made[length] = 0;
	return made;
}

static int illegal(void)
{
	return fail(BAD_URL, "URL using bad/illegal format or missing URL");
}

/* `host`, `host:port`, `user:password@host:port` */
static int parse_authority(struct url *url, const char *text, size_t length)
{
	const char *at = memrchr(text, '@', length);
	const char *colon;
	size_t host;
	char *end;

	if (at) {
		url->user = copy(text, at - text);
		length -= at + 1 - text;
		text = at + 1;
	}
	colon = memchr(text, ':', length);
	host = colon ? (size_t)(colon - text) : length;
	if (!host || host >= sizeof url->host)
		return illegal();
	for (size_t i = 0; i < host; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("-._", text[i]))
			return illegal();
	memcpy(url->host, text, host);
	url->host[host] = 0;
	url->port = 80;
	if (colon && colon + 1 < text + length) {
		long port = isdigit((unsigned char)colon[1]) ?
				    strtol(colon + 1, &end, 10) : 0;

		if (port < 1 || port > 65535 || end != text + length)
			return illegal();
		url->port = port;
	}
	return OK;
}

/* Takes `.` and `..` out of a path; what is behind the question mark stays. */
static void remove_dots(char *path)
{
	char *out = path, *in = path;

	while (*in && *in != '?') {
		size_t length = 1 + strcspn(in + 1, "/?");
		bool is_last = in[length] != '/';

		if (length == 2 && in[1] == '.') {
			if (is_last)
				*out++ = '/';
		} else if (length == 3 && in[1] == '.' && in[2] == '.') {
			while (out > path && *--out != '/')
				;
			if (is_last)
				*out++ = '/';
		} else {
			memmove(out, in, length);
			out += length;
		}
		in += length;
	}
	if (out == path)
		*out++ = '/';
	memmove(out, in, strlen(in) + 1);
}

static int parse_path(struct url *url, const char *text, const struct url *base)
{
	size_t length = strcspn(text, "#");
	size_t folder = 0;

	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 127)
			return fail(BAD_URL, "URL rejected: Malformed input to a URL function");
	/* relative to the folder of the page, or to the page when only the query is another */
	if (base && length && *text == '?')
		folder = strcspn(base->path, "?");
	else if (base && length && *text != '/')
		for (folder = strcspn(base->path, "?"); base->path[folder - 1] != '/';)
			folder--;
	else if (base && !length)
		folder = strlen(base->path);
	url->path = allocate(folder + length + 2);
	if (folder)
		memcpy(url->path, base->path, folder);
	else if (*text != '/')
		url->path[folder++] = '/';
	memcpy(url->path + folder, text, length);
	url->path[folder + length] = 0;
	remove_dots(url->path);
	return OK;
}

static void write_text(struct url *url)
{
	size_t size = strlen(url->host) + strlen(url->path) + 32;

	url->text = allocate(size);
	if (url->port == 80)
		snprintf(url->text, size, "http://%s%s", url->host, url->path);
	else
		snprintf(url->text, size, "http://%s:%d%s", url->host, url->port,
			 url->path);
}

int url_parse(struct url *url, const char *text, const struct url *base)
{
	const char *scheme = strstr(text, "://");
	size_t name = scheme ? (size_t)(scheme - text) : 0;
	int code = OK;

	memset(url, 0, sizeof *url);
	if (scheme && strcspn(text, "/?#") > name) {
		if (name != 4 || strncasecmp(text, "http", 4))
			return fail(UNSUPPORTED_PROTOCOL,
				    "Protocol \"%.*s\" not supported or disabled in libcurl",
				    (int)(name > 32 ? 32 : name), text);
		text = scheme + 3;
		base = NULL;
	} else if (base && !strncmp(text, "//", 2)) {
		text += 2;
		base = NULL;
	} else if (base) {
		strcpy(url->host, base->host);
		url->port = base->port;
		code = parse_path(url, text, base);
		if (code == OK)
			write_text(url);
		return code;
	}
	name = strcspn(text, "/?#");
	code = parse_authority(url, text, name);
	if (code == OK)
		code = parse_path(url, text + name, NULL);
	if (code == OK)
		write_text(url);
	return code;
}

void url_free(struct url *url)
{
	free(url->path);
	free(url->user);
	free(url->text);
	memset(url, 0, sizeof *url);
}
