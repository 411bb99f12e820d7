/* SPDX-License-Identifier: Apache-2.0 */
#include "base/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/attr.h"

#define TERMINAL "/dev/tty"

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };

struct handlers {
	struct sigaction old[ARRAY_LEN(caught)];
	sigset_t mask; /* as it was */
	sigset_t open; /* while an answer is waited for */
};

static void wake(int signal)
{
	(void)signal;
}

/* What would end us is to end the question first, for the terminal to be as it was. */
static void catch_signals(struct handlers *h)
{
	const struct sigaction action = { .sa_handler = wake };
	sigset_t set;
	size_t i;

	(void)sigemptyset(&set);
	for (i = 0; i < ARRAY_LEN(caught); i++)
		(void)sigaddset(&set, caught[i]);
	(void)sigprocmask(SIG_BLOCK, &set, &h->mask);
	h->open = h->mask;
	for (i = 0; i < ARRAY_LEN(caught); i++) {
		(void)sigdelset(&h->open, caught[i]);
		(void)sigaction(caught[i], &action, &h->old[i]);
	}
}

static void leave_signals(const struct handlers *h)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(caught); i++)
		(void)sigaction(caught[i], &h->old[i], NULL);
	(void)sigprocmask(SIG_SETMASK, &h->mask, NULL);
}

/* A terminal has its line whole when it has anything. */
static RESULT read_answer(int tty, const struct handlers *h, struct secret *out, struct err *err)
{
	struct pollfd line = { .fd = tty, .events = POLLIN };

	if (ppoll(&line, 1, NULL, &h->open) < 0)
		return errno == EINTR ? err_set(err, ERR_IO, "interrupted")
				      : err_errno(err, errno, TERMINAL);
	return secret_read_line(out, tty, err);
}

static RESULT ask(int tty, const char *question, const struct handlers *h, struct secret *out,
		  struct err *err)
{
	struct termios old, quiet;
	enum result r;

	if (tcgetattr(tty, &old))
		return err_errno(err, errno, TERMINAL);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	if (tcsetattr(tty, TCSAFLUSH, &quiet))
		return err_errno(err, errno, TERMINAL);
	(void)dprintf(tty, "%s", question);
	r = read_answer(tty, h, out, err);
	(void)tcsetattr(tty, TCSAFLUSH, &old);
	(void)dprintf(tty, "\n");
	return r;
}

enum result terminal_ask(const char *question, struct secret *out, struct err *err)
{
	int tty = open(TERMINAL, O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct handlers handlers;
	enum result r;

	if (tty < 0)
		return err_set(err, ERR_NOT_FOUND, "there is no terminal to ask at (" TERMINAL ")");
	catch_signals(&handlers);
	r = ask(tty, question, &handlers, out, err);
	leave_signals(&handlers);
	(void)close(tty);
	return r;
}
