/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"

void secret_clear(struct secret *s)
{
	buf_wipe(&s->bytes);
}

enum result secret_set(struct secret *s, struct span bytes, struct err *err)
{
	BUF_SECRET copy = BUF_INIT;

	buf_put(&copy, bytes);
	TRY(buf_check(&copy, err));
	secret_clear(s);
	s->bytes = buf_take(&copy);
	return OK;
}

enum result secret_read_file(struct secret *s, const char *path, size_t max, struct err *err)
{
	BUF_SECRET text = BUF_INIT;
	size_t end;

	TRY(file_read(path, max + 2, &text, err));
	if (strcmp(path, "-") == 0)
		path = "standard input";
	end = span_find(buf_span(&text), '\n');
	if (end > 0 && text.data[end - 1] == '\r')
		end--;
	if (end > max)
		return err_set(err, ERR_LIMIT, "%s: longer than %zu bytes", path, max);
	if (end == 0)
		return err_set(err, ERR_SYNTAX, "%s: first line is empty", path);
	return secret_set(s, span_sub(buf_span(&text), 0, end), err);
}

enum result secret_read_line(struct secret *s, int fd, struct err *err)
{
	char line[SECRET_LINE_MAX];
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
		r = err_set(err, ERR_LIMIT, "longer than %d octets", SECRET_LINE_MAX - 1);
	else
		r = secret_set(s, span_of(line, len && line[len - 1] == '\r' ? len - 1 : len), err);
	explicit_bzero(line, sizeof(line));
	return r;
}

bool secret_eq(const struct secret *s, struct span bytes)
{
	return span_eq_secret(secret_span(s), bytes);
}
