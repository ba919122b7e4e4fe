#include "signals.h"

#include <signal.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "connection.h"
#include "terminal.h"

static const int fatal[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
};

static int descriptor = -1;
static bool is_forwarding;

void signals_prepare(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
		struct sigaction action;

		/* nohup and `&` of a script have theirs ignored: so it stays */
		sigaction(fatal[i], NULL, &action);
		if (action.sa_handler != SIG_IGN)
			sigaddset(&set, fatal[i]);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	descriptor = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int signals_descriptor(void)
{
	return descriptor;
}

void signals_forward(bool forward)
{
	is_forwarding = forward;
}

_Noreturn void signals_die(int number)
{
	sigset_t set;

	signal(number, SIG_DFL);
	kill(getpid(), number);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(128 + number);
}

void signals_read(void)
{
	struct signalfd_siginfo info;
	uint32_t number;

	if (read(descriptor, &info, sizeof info) != sizeof info)
		return;
	number = info.ssi_signo;
	if (number == SIGWINCH) {
		uint16_t size[2];

		terminal_size(&size[0], &size[1]);
		connection_send(FRAME_RESIZE, 0, size, sizeof size);
	} else if (is_forwarding) {
		connection_send(FRAME_SIGNAL, 0, &number, sizeof number);
	} else {
		terminal_restore();
		signals_die(number);
	}
}
