/* SPDX-License-Identifier: Apache-2.0 */
#include "config/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define TERMINAL "/dev/tty"

/* ---- what the configuration says ---- */

static const struct word {
	const char *text;
	enum passphrase_kind kind;
	bool has_value;
} words[] = {
	{ "credential:", PASSPHRASE_CREDENTIAL, true },
	{ "file:", PASSPHRASE_FILE, true },
	{ "fd:", PASSPHRASE_FD, true },
	{ "prompt", PASSPHRASE_PROMPT, false },
};

static RESULT not_that(struct err *err)
{
	/* what was written is not repeated: it might be the passphrase */
	return err_set(err, ERR_USAGE,
		       "says where it comes from, not what it is: write credential:NAME, "
		       "file:/PATH, fd:N or prompt");
}

static RESULT parse_value(const char *value, struct passphrase_source *s, struct err *err)
{
	char *end;
	long fd;

	s->text = value;
	if (s->kind == PASSPHRASE_FILE && value[0] != '/')
		return err_set(err, ERR_USAGE, "file: wants an absolute path");
	if (s->kind == PASSPHRASE_CREDENTIAL && (value[0] == '\0' || strchr(value, '/')))
		return err_set(err, ERR_USAGE, "credential: wants the name of a credential");
	if (s->kind != PASSPHRASE_FD)
		return OK;
	errno = 0;
	fd = strtol(value, &end, 10);
	if (errno || end == value || *end || fd < 3 || fd > INT_MAX)
		return err_set(err, ERR_USAGE, "fd: wants a number from 3 on");
	s->fd = (int)fd;
	return OK;
}

enum result passphrase_parse(const char *text, struct passphrase_source *out, struct err *err)
{
	struct passphrase_source s = { .fd = -1 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++) {
		size_t n = strlen(words[i].text);

		if (strncmp(text, words[i].text, n) != 0 || (!words[i].has_value && text[n]))
			continue;
		s.kind = words[i].kind;
		if (words[i].has_value)
			TRY(parse_value(text + n, &s, err));
		*out = s;
		return OK;
	}
	return not_that(err);
}

/* ---- descriptors and files ---- */

/* Up to the first line end, or the end; octet by octet, so that what follows stays unread. */
static RESULT read_line(int fd, struct secret *out, struct err *err)
{
	char line[PASSPHRASE_MAX];
	size_t len = 0;
	enum result r;
	ssize_t n;

	for (;;) {
		n = read(fd, line + len, 1);
		if (n != 1 || line[len] == '\n')
			break;
		if (++len == sizeof(line))
			break;
	}
	if (n < 0)
		r = err_errno(err, errno, "read");
	else if (len == sizeof(line))
		r = err_set(err, ERR_LIMIT, "longer than %d octets", PASSPHRASE_MAX - 1);
	else
		r = secret_set(out, span_of(line, len && line[len - 1] == '\r' ? len - 1 : len),
			       err);
	explicit_bzero(line, sizeof(line));
	return r;
}

static RESULT read_fd(int fd, struct secret *out, struct err *err)
{
	enum result r = read_line(fd, out, err);

	if (r == OK)
		return OK;
	return err_prefix(err, ERR_CONFIG,
			  "descriptor %d, which scepterd must be started with, as by %d<FILE", fd,
			  fd);
}

static RESULT read_file(const char *path, const char *remedy, struct secret *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum result r;

	if (fd < 0)
		return err_set(err, ERR_CONFIG, "%s: %s; %s", path, strerror(errno), remedy);
	r = read_line(fd, out, err);
	(void)close(fd);
	return r == OK ? OK : err_prefix(err, ERR_CONFIG, "%s", path);
}

static RESULT read_credential(const char *name, struct secret *out, struct err *err)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];

	if (!directory)
		return err_set(err, ERR_CONFIG,
			       "credential %s: $CREDENTIALS_DIRECTORY is not set; give the unit a "
			       "LoadCredential=%s:... or LoadCredentialEncrypted=",
			       name, name);
	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= PATH_MAX)
		return err_set(err, ERR_CONFIG, "credential %s: path too long", name);
	return read_file(path, "the unit's LoadCredential= has to name it", out, err);
}

/* ---- the terminal ---- */

static void wake(int signal)
{
	(void)signal;
}

/* What would end us is to end the read first, for the terminal to be as it was. */
static void catch_signals(sigset_t *old)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
	struct sigaction action = { .sa_handler = wake };
	sigset_t set;
	size_t i;

	(void)sigemptyset(&set);
	for (i = 0; i < ARRAY_LEN(caught); i++) {
		(void)sigaddset(&set, caught[i]);
		(void)sigaction(caught[i], &action, NULL);
	}
	(void)sigprocmask(SIG_UNBLOCK, &set, old);
}

static RESULT ask(int tty, const char *words_before, const char *what, struct secret *out,
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
	(void)dprintf(tty, "scepterd: %s%s: ", words_before, what);
	r = read_line(tty, out, err);
	(void)tcsetattr(tty, TCSAFLUSH, &old);
	(void)dprintf(tty, "\n");
	return r;
}

static RESULT ask_twice(int tty, const char *what, struct secret *out, struct err *err)
{
	SECRET again = SECRET_INIT;

	TRY(ask(tty, "new ", what, out, err));
	TRY(ask(tty, "once more, the new ", what, &again, err));
	if (!secret_eq(&again, secret_span(out)))
		return err_set(err, ERR_CONFIG, "the two are not the same; start again");
	return OK;
}

static RESULT prompt(const char *what, bool is_new, struct secret *out, struct err *err)
{
	int tty = open(TERMINAL, O_RDWR | O_CLOEXEC | O_NOCTTY);
	sigset_t old;
	enum result r;

	if (tty < 0)
		return err_set(err, ERR_CONFIG,
			       "prompt: there is no terminal to ask at (" TERMINAL
			       ": %s); a service takes credential:NAME",
			       strerror(errno));
	catch_signals(&old);
	r = is_new ? ask_twice(tty, what, out, err) : ask(tty, "", what, out, err);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	(void)close(tty);
	return r == OK ? OK : err_prefix(err, ERR_CONFIG, "prompt");
}

enum result passphrase_read(const struct passphrase_source *source, const char *what, bool is_new,
			    struct secret *out, struct err *err)
{
	SECRET got = SECRET_INIT;

	if (source->kind == PASSPHRASE_CREDENTIAL)
		TRY(read_credential(source->text, &got, err));
	else if (source->kind == PASSPHRASE_FILE)
		TRY(read_file(source->text, "it must be there at the start", &got, err));
	else if (source->kind == PASSPHRASE_FD)
		TRY(read_fd(source->fd, &got, err));
	else
		TRY(prompt(what, is_new, &got, err));
	if (secret_span(&got).len == 0)
		return err_set(err, ERR_CONFIG, "the %s is empty", what);
	return secret_set(out, secret_span(&got), err);
}
