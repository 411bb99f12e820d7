/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to be done now and then, by a thread of its own: challenges whose time is long over, and
 * what no quota counts any more, are deleted, TLS certificates of the server's own making renewed.
 * The configuration of the moment says how long.
 */
#ifndef DAEMON_HOUSEKEEPING_H
#define DAEMON_HOUSEKEEPING_H

#include "daemon/server.h"

struct housekeeping;

/* Begins at once, then every ten minutes. The server must outlive it. */
RESULT housekeeping_start(struct housekeeping **out, struct server *server, struct err *err);
/* Waits for the commit that it is at. */
void housekeeping_free(struct housekeeping *h);

#endif
