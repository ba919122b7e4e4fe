#include "terminal.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static bool is_raw;

void terminal_size(uint16_t *rows, uint16_t *columns)
{
	struct winsize size = { 0 };

	for (int fd = 0; fd < 3; fd++)
		if (ioctl(fd, TIOCGWINSZ, &size) == 0)
			break;
	*rows = size.ws_row;
	*columns = size.ws_col;
}

void terminal_make_raw(void)
{
	struct termios raw;

	if (is_raw || tcgetattr(STDIN_FILENO, &before) < 0)
		return;
	raw = before;
	cfmakeraw(&raw);
	is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void terminal_restore(void)
{
	void (*old)(int);

	if (!is_raw)
		return;
	is_raw = false;
	/* in the background, setting modes would stop the program */
	old = signal(SIGTTOU, SIG_IGN);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	signal(SIGTTOU, old);
}
