/* `docker` in the guest: hands its arguments to the engine, then does with its
 * streams, its terminal and its signals what the engine asks for. */
#include "docker.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "output.h"
#include "signals.h"
#include "terminal.h"

#define EXIT_DOCKER 125

enum { ATTACH_STDIN = 1, ATTACH_RAW = 2, ATTACH_SIGNALS = 4, ATTACH_STOP = 8 };

static bool reads_stdin, stdin_ended, is_answered;
static int exit_code;
static uint32_t stdin_window = WINDOW;

_Noreturn void docker_fail(const char *reason)
{
	terminal_restore();
	fprintf(stderr, "docker: %s\n", reason);
	_exit(EXIT_DOCKER);
}

_Noreturn void docker_die_of_pipe(void)
{
	terminal_restore();
	signals_die(SIGPIPE);
}

/* ---- the request -------------------------------------------------------- */

static char request[MAX_PAYLOAD];
static size_t request_length;

static bool fits(const char *key, const char *value)
{
	size_t length = strlen(key) + 1 + strlen(value) + 1;

	return request_length + length <= sizeof request;
}

static void add_word(const char *key, const char *value)
{
	size_t length = strlen(key) + 1 + strlen(value) + 1;

	if (!fits(key, value))
		docker_fail("the argument list is too long");
	sprintf(request + request_length, "%s=%s", key, value);
	request_length += length;
}

/*
 * All of the environment: `-e NAME` and --env-file take values from it. What
 * does not fit the request stays behind rather than keep every command from
 * running, and docker's own variables go before the others.
 */
static void add_environment(char **env, bool docker_own)
{
	static const char *const prefixes[] = {
		"TERM=", "HOME=", "DOCKER_", "COMPOSE_", "LAYERBOX_",
	};

	for (; *env; env++) {
		bool own = false;

		for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
			own |= strncmp(*env, prefixes[i], strlen(prefixes[i])) == 0;
		if (own == docker_own && fits("env", *env))
			add_word("env", *env);
	}
}

static void add_terminal(void)
{
	uint16_t rows, columns;
	char text[32];
	int mask = 0;

	for (int fd = 0; fd < 3; fd++)
		mask |= isatty(fd) << fd;
	terminal_size(&rows, &columns);
	snprintf(text, sizeof text, "%d,%u,%u", mask, rows, columns);
	add_word("tty", text);
}

static void send_request(char **argv, char **env)
{
	const char *slash = strrchr(argv[0], '/');
	char cwd[PATH_MAX], uid[16];

	add_word("program", slash ? slash + 1 : argv[0]);
	for (; *argv; argv++)
		add_word("argv", *argv);
	if (!getcwd(cwd, sizeof cwd))
		strcpy(cwd, "/");
	add_word("cwd", cwd);
	snprintf(uid, sizeof uid, "%u", (unsigned)getuid());
	add_word("uid", uid);
	add_terminal();
	add_environment(env, true);
	add_environment(env, false);
	connection_send(FRAME_REQUEST, 0, request, request_length);
}

/* ---- what the engine asks for ------------------------------------------- */

static void attach(uint8_t wishes)
{
	if (wishes & ATTACH_STOP)
		wishes = 0;
	reads_stdin = wishes & ATTACH_STDIN;
	if (wishes & ATTACH_RAW)
		terminal_make_raw();
	else
		terminal_restore();
	signals_forward(wishes & ATTACH_SIGNALS);
}

static void receive(const struct frame_header *h, const char *payload)
{
	uint32_t number = 0;

	if (h->length >= 4)
		memcpy(&number, payload, 4);
	switch (h->type) {
	case FRAME_DATA:
		output_add(h->flag, payload, h->length);
		break;
	case FRAME_CREDIT:
		stdin_window += number;
		break;
	case FRAME_ATTACH:
		attach(h->flag);
		break;
	case FRAME_EXIT:
		/* what was sent before it may still wait for a slow reader */
		is_answered = true;
		exit_code = number;
	}
}

static void relay_stdin(void)
{
	char bytes[4096];
	size_t room = stdin_window < sizeof bytes ? stdin_window : sizeof bytes;
	ssize_t n = read(STDIN_FILENO, bytes, room);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		stdin_ended = true;
		connection_send(FRAME_EOF, STREAM_IN, NULL, 0);
		return;
	}
	stdin_window -= n;
	connection_send(FRAME_DATA, STREAM_IN, bytes, n);
}

static _Noreturn void serve(int connection)
{
	for (;;) {
		bool wants_input = reads_stdin && !stdin_ended &&
				   !is_answered && stdin_window;
		struct pollfd waits[] = {
			{ .fd = is_answered ? -1 : connection, .events = POLLIN },
			{ .fd = signals_descriptor(), .events = POLLIN },
			{ .fd = wants_input ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = output_waits_for(), .events = POLLOUT },
		};

		if (is_answered && output_waits_for() < 0) {
			terminal_restore();
			_exit(exit_code);
		}
		if (poll(waits, 4, -1) < 0)
			continue;
		if (waits[1].revents)
			signals_read();
		if (waits[3].revents)
			output_write();
		if (waits[2].revents)
			relay_stdin();
		if (waits[0].revents)
			connection_receive(receive);
	}
}

int main(int argc, char **argv, char **env)
{
	int connection = connection_open();

	if (argc < 1)
		return EXIT_DOCKER;
	if (connection < 0)
		docker_fail("Cannot connect to the Docker daemon. "
			    "Is the docker daemon running?");
	signals_prepare();
	send_request(argv, env);
	serve(connection);
}
