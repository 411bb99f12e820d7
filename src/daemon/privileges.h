/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the processes are. The data directory is shared by two users who do not trust each other:
 * where we are root it is root's, sticky and writable for the server's group, so that the server
 * has its store there but can neither read nor replace the keeper's keys/.
 */
#ifndef DAEMON_PRIVILEGES_H
#define DAEMON_PRIVILEGES_H

#include <sys/types.h>

#include "config/config.h"
#include "daemon/sandbox.h"

/* Makes data and data/keys with the owners that the configuration says. */
RESULT privileges_prepare(const struct config *config, struct err *err);
/* A file that we made, to that user; NULL, or if we are not root: nothing. */
RESULT privileges_give(const char *user, const char *path, mode_t mode, struct err *err);
/*
 * A directory of ours with all that is in it, which modes stay; the same nothing, also where it is
 * not there. Links are left alone, for another user may have put them there.
 */
RESULT privileges_give_all(const char *user, const char *directory, struct err *err);
/* A Unix socket of ours, once it is there: the server's user may use it, as root may. */
RESULT privileges_give_socket(const struct config *config, const char *path, mode_t mode,
			      struct err *err);
/* As many open files as the connections need, as far as that is allowed; false: fewer. */
bool privileges_raise_files(unsigned connections);
/*
 * For good: becomes `user` (where it is given and we are root), gives up the way to new privileges
 * and core dumps, dies when `parent` does, and enters the sandbox, of which a kernel without one
 * gets a warning in the log.
 */
struct privileges {
	const char *user; /* NULL: stay who we are */
	pid_t parent;
	enum sandbox_role role;
};
RESULT privileges_drop(const struct privileges *p, const struct log *log, struct err *err);

/* For good. NULL, or if we are not root: nothing. */
RESULT privileges_become(const char *user, struct err *err);

#endif
