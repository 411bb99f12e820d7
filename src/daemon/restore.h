/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scepterd --restore: what "scepterctl backup" made takes the place of what was lost. Nothing that
 * is there is overwritten. docs/backup.md says what is lost, and why numbers are passed over.
 */
#ifndef DAEMON_RESTORE_H
#define DAEMON_RESTORE_H

#include "config/config.h"

/*
 * keep_challenges: one-time challenges that were open stay open, though they may have been used
 * since. ERR_CONFLICT: there is a store, or another key of that name. ERR_BAD_CHECK: the backup is
 * not what it was. Prints what was done.
 */
RESULT restore_run(const struct config *config, const char *directory, bool keep_challenges,
		   struct err *err);

#endif
