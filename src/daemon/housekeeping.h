/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to be done now and then, by a thread of its own: challenges whose time is long over, and
 * what no quota counts any more, are deleted, TLS certificates of the server's own making renewed
 * (the configuration of the moment says how long), and CAs get what they need in time
 * (rollover_watch.h). Requests that nobody approved in time are marked, certificates of OCSP
 * responders renewed, what is stapled to our own TLS certificates kept fresh, and alarms raised
 * (alarms.h).
 */
#ifndef DAEMON_HOUSEKEEPING_H
#define DAEMON_HOUSEKEEPING_H

#include "daemon/server.h"

struct housekeeping;

/* Begins at once; deletes every ten minutes, raises alarms every ten seconds, looks after CAs every
 * second. The server must outlive it. */
RESULT housekeeping_start(struct housekeeping **out, struct server *server, struct err *err);
/* Waits for the commit that it is at. */
void housekeeping_free(struct housekeeping *h);
DEFINE_CLEANUP(struct housekeeping, housekeeping_free)

#endif
