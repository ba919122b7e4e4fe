#include "process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "port.h"

#ifndef TIOCSIG
#define TIOCSIG _IOW('T', 0x36, int)
#endif

/* What a pipe or a terminal can hold at most: all that a process can have
 * written before it exited. */
#define PIPE_CAPACITY 65536
#define CREDIT_BATCH (WINDOW / 4)

static bool may_send(const struct channel *c)
{
	return c->window > 0 && port_has_room();
}

static void end_stream(struct channel *c, struct watch *stream)
{
	watch_close(stream);
	port_send(c->id, FRAME_EOF, stream == &c->err ? STREAM_ERR : STREAM_OUT,
		  NULL, 0);
}

static void read_once(struct channel *c, struct watch *stream)
{
	int32_t *rest = stream == &c->err ? &c->err_rest : &c->out_rest;
	static char bytes[MAX_PAYLOAD];
	size_t room = c->window < MAX_PAYLOAD ? c->window : MAX_PAYLOAD;
	ssize_t n = read(stream->fd, bytes, room);

	if (n > 0) {
		port_send(c->id, FRAME_DATA,
			  stream == &c->err ? STREAM_ERR : STREAM_OUT, bytes, n);
		c->window -= n;
		*rest -= n;
		if (c->has_exited && *rest <= 0)
			end_stream(c, stream);
	} else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		/* A child in the background may hold the pipe for hours. */
		if (c->has_exited && errno == EAGAIN)
			end_stream(c, stream);
	} else {
		/* 0 of a pipe, EIO of a terminal whose last holder is gone */
		end_stream(c, stream);
	}
}

static void finish(struct channel *c)
{
	if (!c->has_exited || c->closed || c->setup.fd >= 0 || c->out.fd >= 0 ||
	    c->err.fd >= 0)
		return;
	if (WIFSIGNALED(c->status))
		port_send_numbers(c->id, FRAME_EXIT, 128 + WTERMSIG(c->status),
				  WTERMSIG(c->status));
	else
		port_send_numbers(c->id, FRAME_EXIT, WEXITSTATUS(c->status), 0);
	channel_close(c);
}

static void drain(struct channel *c, struct watch *stream)
{
	while (stream->fd >= 0 && may_send(c))
		read_once(c, stream);
}

void process_wake(struct channel *c)
{
	uint32_t output;

	if (c->has_exited) {
		drain(c, &c->out);
		drain(c, &c->err);
		finish(c);
		if (c->closed)
			return;
	}
	output = may_send(c) ? EPOLLIN : 0;
	watch_for(&c->out, output);
	watch_for(&c->err, output);
	watch_for(&c->in, buffer_length(&c->input) ? EPOLLOUT : 0);
}

void process_output_ready(struct watch *stream, uint32_t events)
{
	struct channel *c = stream->channel;

	(void)events;
	if (may_send(c))
		read_once(c, stream);
	process_wake(c);
}

/* ---- input ------------------------------------------------------------- */

static void give_credit(struct channel *c)
{
	if (!c->uncredited ||
	    (c->uncredited < CREDIT_BATCH && buffer_length(&c->input)))
		return;
	port_send(c->id, FRAME_CREDIT, 0, &c->uncredited, 4);
	c->uncredited = 0;
}

static void drop_input(struct channel *c)
{
	c->uncredited += buffer_length(&c->input);
	buffer_consume(&c->input, buffer_length(&c->input));
}

static void end_input(struct channel *c)
{
	if (c->has_terminal && c->in.fd >= 0) {
		/* a terminal has no end; what a person would type is this */
		struct termios modes;
		char end = 4;

		if (tcgetattr(c->in.fd, &modes) == 0)
			end = modes.c_cc[VEOF];
		(void)!write(c->in.fd, &end, 1);
	}
	watch_close(&c->in);
}

static void flush_input(struct channel *c)
{
	while (buffer_length(&c->input) && c->in.fd >= 0) {
		ssize_t n = write(c->in.fd, buffer_head(&c->input),
				  buffer_length(&c->input));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			watch_close(&c->in);
			break;
		}
		buffer_consume(&c->input, n);
		c->uncredited += n;
	}
	/* before it has started, its terminal may be yet to come */
	if (c->in.fd < 0 && (c->has_started || c->has_exited))
		drop_input(c);
	give_credit(c);
	if (c->input_ended && !buffer_length(&c->input))
		end_input(c);
	watch_for(&c->in, buffer_length(&c->input) ? EPOLLOUT : 0);
}

void process_input_ready(struct watch *watch, uint32_t events)
{
	(void)events;
	flush_input(watch->channel);
}

void process_input(struct channel *c, const char *bytes, uint32_t length)
{
	buffer_append(&c->input, bytes, length);
	if (c->input_ended || c->has_exited)
		drop_input(c);
	flush_input(c);
}

void process_end_input(struct channel *c)
{
	c->input_ended = true;
	flush_input(c);
}

/* ---- the rest ---------------------------------------------------------- */

void process_credit(struct channel *c, uint32_t bytes)
{
	c->window += bytes;
	process_wake(c);
}

void process_signal(struct channel *c, int number, bool foreground)
{
	if (c->has_exited)
		return;
	if (foreground && c->has_terminal && c->out.fd >= 0 &&
	    ioctl(c->out.fd, TIOCSIG, number) == 0)
		return;
	/* by pidfd: the pid may be another's since */
	syscall(SYS_pidfd_send_signal, c->pidfd, number, NULL, 0);
}

void process_resize(struct channel *c, uint16_t rows, uint16_t columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };

	/* kept for a terminal that is yet to come */
	c->rows = rows;
	c->columns = columns;
	if (c->has_terminal && c->out.fd >= 0)
		ioctl(c->out.fd, TIOCSWINSZ, &size);
}

void process_started(struct channel *c)
{
	c->has_started = true;
	flush_input(c);
	process_wake(c);
}

void process_exited(struct channel *c, int status)
{
	c->has_exited = true;
	c->status = status;
	c->out_rest = c->err_rest = PIPE_CAPACITY;
	watch_close(&c->in);
	drop_input(c);
	give_credit(c);
	process_wake(c);
}
