/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_output.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"

#define PAIR_WIDTH 14

/* 0: whoever draws it does not say. */
static size_t width_of(int fd)
{
	struct winsize size = { 0 };

	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void cli_output_init(struct cli_output *o, FILE *file, bool json)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	o->file = file;
	o->json = json;
	o->terminal = isatty(fileno(file)) == 1;
	o->width = o->terminal ? width_of(fileno(file)) : 0;
	o->colour = o->terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static const char *const colours[] = {
	[CLI_PLAIN] = "",         [CLI_BOLD] = "\x1b[1m", [CLI_DIM] = "\x1b[2m",
	[CLI_GREEN] = "\x1b[32m", [CLI_RED] = "\x1b[31m", [CLI_YELLOW] = "\x1b[33m"
};

static void put_safe(const struct cli_output *o, const char *text)
{
	const unsigned char *p;

	for (p = (const unsigned char *)text; *p; p++) {
		/* C1 controls of UTF-8 (0xc2 0x80..0x9f) drive terminals as ESC does */
		bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;

		if (*p < 0x20 || *p == 0x7f || c1)
			(void)fprintf(o->file, "\\x%02x", c1 ? *++p : *p);
		else
			(void)fputc(*p, o->file);
	}
}

void cli_output_text(const struct cli_output *o, enum cli_colour colour, const char *text)
{
	bool on = o->colour && colour != CLI_PLAIN;

	if (on)
		(void)fputs(colours[colour], o->file);
	put_safe(o, text);
	if (on)
		(void)fputs("\x1b[0m", o->file);
}

static void put_formatted(const struct cli_output *o, enum cli_colour colour, const char *fmt,
			  va_list ap) __attribute__((format(printf, 3, 0)));

static void put_formatted(const struct cli_output *o, enum cli_colour colour, const char *fmt,
			  va_list ap)
{
	BUF text = BUF_INIT;
	const char *s;

	buf_vprintf(&text, fmt, ap);
	s = buf_cstr(&text);
	cli_output_text(o, colour, s ? s : "");
	(void)fputc('\n', o->file);
}

void cli_output_line(const struct cli_output *o, enum cli_colour colour, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_formatted(o, colour, fmt, ap);
	va_end(ap);
}

void cli_output_pair(const struct cli_output *o, const char *name, const char *fmt, ...)
{
	size_t len = strlen(name) + 1;
	va_list ap;

	cli_output_text(o, CLI_DIM, name);
	(void)fprintf(o->file, ":%*s", (int)(len < PAIR_WIDTH ? PAIR_WIDTH - len : 1), "");
	va_start(ap, fmt);
	put_formatted(o, CLI_PLAIN, fmt, ap);
	va_end(ap);
}

void cli_output_progress_end(void)
{
	if (isatty(STDERR_FILENO))
		(void)fputs("\r\x1b[K", stderr);
}

void cli_output_progress(const char *fmt, ...)
{
	va_list ap;

	if (!isatty(STDERR_FILENO))
		return;
	cli_output_progress_end();
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fflush(stderr);
}

enum result cli_output_json(const struct cli_output *o, const json_t *value, struct err *err)
{
	size_t flags = JSON_ENCODE_ANY | (o->terminal ? JSON_INDENT(2) : JSON_COMPACT);

	if (json_dumpf(value, o->file, flags) != 0)
		return err_set(err, ERR_IO, "standard output: cannot write");
	(void)fputc('\n', o->file);
	return OK;
}

enum result cli_output_bytes(const struct cli_output *o, const char *path, struct span bytes,
			     struct err *err)
{
	if (path)
		return file_write_atomic(path, 0644, bytes, err);
	if (fwrite(bytes.p, 1, bytes.len, o->file) != bytes.len)
		return err_set(err, ERR_IO, "standard output: cannot write");
	return OK;
}
