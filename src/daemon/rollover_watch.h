/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CAs need when their time comes: the next generation of keys as long before the end as the
 * configuration says (cas[].auto_rollover), new certificates for a registration authority whose own
 * end first, and a line on record when a generation has taken over. Taking over itself needs
 * nobody: see ca/authority.h.
 */
#ifndef DAEMON_ROLLOVER_WATCH_H
#define DAEMON_ROLLOVER_WATCH_H

#include "daemon/server.h"

struct rollover_watch {
	int64_t not_before_us; /* after a failure: it is not tried over and over */
};

/* To be called now and then by one thread; costs next to nothing where nothing is due. */
void rollover_watch_look(struct rollover_watch *w, struct server *s);

#endif
