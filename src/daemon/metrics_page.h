/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to the metrics page: its parts, each some families. */
#ifndef DAEMON_METRICS_PAGE_H
#define DAEMON_METRICS_PAGE_H

#include "daemon/metrics.h"
#include "daemon/server.h"
#include "integrations/exposition.h"

void metrics_put_requests(const struct metrics *m, struct buf *out);
/* Certificates and lists, and when they end. */
void metrics_put_expiry(struct server *s, struct buf *out);
/* Lists of other CAs that are fetched. */
void metrics_put_client_crl(struct server *s, struct buf *out);
/* process_...: this process, as the client libraries of Prometheus tell it. */
void metrics_put_process(struct buf *out);

/* A family of one sample without labels. */
static inline void metrics_put_one(const char *name, enum exposition_kind kind, const char *help,
				   double value, struct buf *out)
{
	const struct exposition_family f = { name, kind, help, NULL };

	exposition_head(&f, out);
	exposition_value(&f, NULL, value, out);
}

#endif
