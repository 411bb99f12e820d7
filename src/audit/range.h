/* SPDX-License-Identifier: Apache-2.0 */
/* Which events an administrator means by "from" and "to". */
#ifndef AUDIT_RANGE_H
#define AUDIT_RANGE_H

#include "store/store.h"

/*
 * Each is an event's number, a day (2026-11-21) or a moment (2026-11-21T20:44:00Z); NULL: from the
 * first, to the last. Events are numbered as they were committed: next to a moment their times may
 * be out of order by as long as a commit takes. ERR_SYNTAX, ERR_NOT_FOUND: no event lies there.
 */
RESULT audit_range_find(struct store *store, const char *from, const char *to, int64_t *first,
			int64_t *last, struct err *err);

#endif
