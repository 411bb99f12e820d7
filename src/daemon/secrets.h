/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The passphrases that the keeper needs at every start of its own. They are read once, by a process
 * that lives no longer than that, into memory that has no name and that the parent only holds open
 * for the next keeper: it never looks at them, and the server process has them closed.
 */
#ifndef DAEMON_SECRETS_H
#define DAEMON_SECRETS_H

#include "base/log.h"
#include "config/config.h"

enum secrets_name { SECRETS_PASSPHRASE, SECRETS_PIN, SECRETS_COUNT };

struct secrets {
	int fds[SECRETS_COUNT]; /* -1: the configuration has no such */
};
#define SECRETS_NONE ((struct secrets){ { -1, -1 } })

/*
 * Waits for a person at the terminal, if they come from there. SIGCHLD, SIGTERM and SIGINT are
 * blocked by the caller. What went wrong is in the log, too.
 */
RESULT secrets_collect(struct secrets *s, const struct config *config, const struct log *log,
		       struct err *err);
/* *out: empty if there is none. */
RESULT secrets_get(const struct secrets *s, enum secrets_name name, struct secret *out,
		   struct err *err);
/* In the parent at its end, and in the server. */
void secrets_close(struct secrets *s);

#endif
