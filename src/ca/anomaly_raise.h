/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was seen, held against the rules for anomalies: each that is raised is an event, and a
 * warning in the log. For decisions on requests and for logins alike.
 */
#ifndef CA_ANOMALY_RAISE_H
#define CA_ANOMALY_RAISE_H

#include "base/log.h"
#include "ca/anomaly.h"
#include "store/store.h"

/* Where it was seen. All borrowed. */
struct anomaly_scene {
	struct anomalies *anomalies; /* NULL: nothing is unusual */
	struct store *store;
	const struct log *log;
	const char *endpoint; /* NULL: the admin API */
	const char *ca;       /* may be NULL */
	struct span transaction;
	const char *peer; /* may be NULL */
	int64_t now;
};

/* One more of what has a rate, of key, or of the whole place (""). of_what: "refused requests". */
void anomaly_raise_rate(const struct anomaly_scene *s, enum anomaly what, const char *key,
			const char *of_what);
/* One more failure at the place, and of its peer there. */
void anomaly_raise_failure(const struct anomaly_scene *s, const char *of_what);
/* What has none. */
void anomaly_raise(const struct anomaly_scene *s, enum anomaly what, const char *key,
		   const char *reason);

#endif
