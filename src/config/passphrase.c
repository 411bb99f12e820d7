/* SPDX-License-Identifier: Apache-2.0 */
#include "config/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/terminal.h"

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

static RESULT read_fd(int fd, struct secret *out, struct err *err)
{
	enum result r = secret_read_line(out, fd, err);

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
	r = secret_read_line(out, fd, err);
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

static RESULT ask(const char *words_before, const char *what, struct secret *out, struct err *err)
{
	BUF question = BUF_INIT;
	enum result r;

	buf_printf(&question, "scepterd: %s%s: ", words_before, what);
	TRY(buf_check(&question, err));
	r = terminal_ask(buf_cstr(&question), out, err);
	if (r == ERR_NOT_FOUND)
		return err_set(err, ERR_CONFIG,
			       "there is no terminal to ask at; a service takes credential:NAME");
	return r;
}

static RESULT ask_twice(const char *what, struct secret *out, struct err *err)
{
	SECRET again = SECRET_INIT;

	TRY(ask("new ", what, out, err));
	TRY(ask("once more, the new ", what, &again, err));
	if (!secret_eq(&again, secret_span(out)))
		return err_set(err, ERR_CONFIG, "the two are not the same; start again");
	return OK;
}

static RESULT prompt(const char *what, bool is_new, struct secret *out, struct err *err)
{
	enum result r = is_new ? ask_twice(what, out, err) : ask("", what, out, err);

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
