/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What monitoring asks, on a listener and threads of its own, so that it is answered whatever the
 * others are at:
 *
 *	GET /metrics   Prometheus' text format
 *	GET /healthz   200 as long as the process lives
 *	GET /readyz    200 when it can serve; 503 naming what is not ready, as JSON
 */
#ifndef DAEMON_MONITOR_H
#define DAEMON_MONITOR_H

#include "daemon/server.h"

struct monitor;

/* fd: listening, stays the caller's, who may close it. -1: nothing is started, *out is NULL. */
RESULT monitor_start(struct monitor **out, struct server *s, int fd, struct err *err);
/* Before anything of the server that is looked at goes. */
void monitor_stop(struct monitor *m);

#endif
