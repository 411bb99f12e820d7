/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server counts of requests, and the page that tells it with all else that monitoring
 * wants to know (docs/monitoring.md has the list). Thread-safe.
 */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include "base/buf.h"
#include "net/http.h"

struct metrics;
struct server;

RESULT metrics_new(struct metrics **out, struct err *err);
void metrics_free(struct metrics *m);

/* A request that took so long to answer. Takes no lock. NULL strings: of no endpoint. */
void metrics_count(struct metrics *m, const char *endpoint, const char *protocol,
		   const struct http_reply *reply, int64_t us);

/* Prometheus' text format. What cannot be found out is left out. */
void metrics_page(struct server *s, struct buf *out);

#endif
