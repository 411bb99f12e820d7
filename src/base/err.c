/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What err.h says for the analyzer's sake is said of these functions. */
#undef err_set
#undef err_prefix
#undef err_errno
#undef err_nomem

/* name, SCEP failInfo, CMP PKIFailureInfo bit, CMCFailInfo, HTTP, OCSP, exit */
static const struct err_map map[ERR_COUNT_] = {
	[OK] = { "ok", 2, 25, 2, 200, 0, 0 },
	[ERR_NOMEM] = { "out-of-memory", 2, 25, 11, 503, 3, 70 },
	[ERR_INTERNAL] = { "internal", 2, 25, 11, 500, 2, 70 },
	[ERR_IO] = { "io", 2, 24, 11, 503, 3, 74 },
	[ERR_BUSY] = { "busy", 2, 24, 12, 503, 3, 75 },
	[ERR_TIMEOUT] = { "timeout", 2, 24, 12, 504, 3, 75 },
	[ERR_SYNTAX] = { "syntax", 2, 5, 2, 400, 1, 65 },
	[ERR_LIMIT] = { "limit", 2, 2, 2, 413, 1, 65 },
	[ERR_BAD_ALG] = { "bad-algorithm", 0, 0, 0, 400, 1, 65 },
	[ERR_BAD_CHECK] = { "bad-message-check", 1, 1, 1, 400, 1, 65 },
	[ERR_BAD_REQUEST] = { "bad-request", 2, 2, 2, 400, 1, 65 },
	[ERR_BAD_TIME] = { "bad-time", 3, 3, 3, 400, 1, 65 },
	[ERR_BAD_CERT_ID] = { "bad-cert-id", 4, 4, 4, 404, 6, 66 },
	[ERR_BAD_POP] = { "bad-pop", 2, 9, 9, 400, 1, 65 },
	[ERR_BAD_TEMPLATE] = { "bad-template", 2, 19, 2, 400, 1, 65 },
	[ERR_KEY_BLOCKED] = { "key-blocked", 2, 19, 10, 403, 6, 77 },
	[ERR_TOO_MANY] = { "too-many", 2, 24, 12, 429, 3, 75 },
	[ERR_DENIED] = { "denied", 2, 23, 2, 403, 6, 77 },
	[ERR_NOT_FOUND] = { "not-found", 4, 4, 4, 404, 6, 66 },
	[ERR_CONFLICT] = { "conflict", 2, 21, 2, 409, 2, 73 },
	[ERR_CONFIG] = { "configuration", 2, 25, 11, 500, 2, 78 },
	[ERR_USAGE] = { "usage", 2, 2, 2, 400, 1, 64 },
};

const struct err_map *err_map(enum result code)
{
	return &map[(unsigned)code < ERR_COUNT_ ? code : ERR_INTERNAL];
}

const char *err_name(enum result code)
{
	return err_map(code)->name;
}

void err_clear(struct err *err)
{
	if (err) {
		err->code = OK;
		err->text[0] = '\0';
	}
}

const char *err_text(const struct err *err)
{
	if (!err)
		return "no detail";
	return err->text[0] ? err->text : err_name(err->code);
}

enum result err_set(struct err *err, enum result code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

enum result err_prefix(struct err *err, enum result code, const char *fmt, ...)
{
	char old[ERR_TEXT_MAX];
	va_list ap;
	int n;

	if (!err || code == OK)
		return code;
	memcpy(old, err->text, sizeof(old));
	err->code = code;
	va_start(ap, fmt);
	n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(err->text))
		(void)snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s",
			       old[0] ? old : err_name(code));
	return code;
}

enum result err_errno(struct err *err, int errnum, const char *fmt, ...)
{
	enum result code = errnum == ENOMEM ? ERR_NOMEM : ERR_IO;
	char text[ERR_TEXT_MAX - 128];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(err, code, "%s: %s", text, strerror(errnum));
}

enum result err_nomem(struct err *err)
{
	return err_set(err, ERR_NOMEM, "out of memory");
}
