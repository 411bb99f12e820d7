/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a passphrase or PIN comes from, as the configuration says it: "credential:NAME" (a file of
 * that name in $CREDENTIALS_DIRECTORY, see LoadCredential= in systemd.exec(5)), "file:/PATH",
 * "fd:N" (a descriptor that scepterd was started with), or "prompt" (the terminal). Never the
 * passphrase itself.
 */
#ifndef CONFIG_PASSPHRASE_H
#define CONFIG_PASSPHRASE_H

#include "base/err.h"
#include "base/secret.h"

#define PASSPHRASE_MAX SECRET_LINE_MAX

enum passphrase_kind {
	PASSPHRASE_NONE,
	PASSPHRASE_CREDENTIAL,
	PASSPHRASE_FILE,
	PASSPHRASE_FD,
	PASSPHRASE_PROMPT,
};

struct passphrase_source {
	enum passphrase_kind kind;
	const char *text; /* borrowed: the credential's name, or the path */
	int fd;
};

/* ERR_USAGE saying what would be right. text is borrowed by the result. */
RESULT passphrase_parse(const char *text, struct passphrase_source *out, struct err *err);

/*
 * The first line that the source has. what: of the prompt, "passphrase of the keys"; a new one is
 * asked for twice. ERR_CONFIG: the source has none to give, and what to do about it.
 */
RESULT passphrase_read(const struct passphrase_source *source, const char *what, bool is_new,
		       struct secret *out, struct err *err);

#endif
