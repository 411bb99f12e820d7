/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is unusual, and worth a word to whoever runs the server: many refusals, a burst of
 * certificates, certificates at odd hours, a challenge that is shown again. Each is raised once a
 * window, for each that it is about. Thread-safe.
 */
#ifndef CA_ANOMALY_H
#define CA_ANOMALY_H

#include "base/rate.h"

enum anomaly {
	ANOMALY_FAILURES,   /* of an endpoint */
	ANOMALY_BY_ADDRESS, /* failures at an endpoint, of one address */
	ANOMALY_ISSUANCE,   /* of an endpoint */
	ANOMALY_HOURS,      /* a certificate at an endpoint outside of all hours */
	ANOMALY_CHALLENGE,  /* one that was used already */
	ANOMALY_COUNT_
};
#define ANOMALY_RATES (ANOMALY_ISSUANCE + 1) /* those that are more than so many in so long */

struct anomaly_hours { /* of the server's local time */
	unsigned days; /* bit 0: Sunday, as in struct tm */
	int from;      /* minutes of the day */
	int to;
};
/* "mon-fri 07:00-19:00", "sat 08:00-12:00"; 24:00 ends a day. ERR_SYNTAX. */
RESULT anomaly_hours_parse(const char *text, struct anomaly_hours *out, struct err *err);

#define ANOMALY_HOURS_MAX 8

struct anomaly_config {
	struct rate rates[ANOMALY_RATES];
	struct anomaly_hours hours[ANOMALY_HOURS_MAX];
	size_t n_hours; /* 0: any time is usual */
	bool reused_challenge;
	int64_t window; /* seconds */
};

struct anomalies;

RESULT anomalies_new(struct anomalies **out, const struct anomaly_config *config, struct err *err);
void anomalies_free(struct anomalies *a);
DEFINE_CLEANUP(struct anomalies, anomalies_free)

/* It happened, at that time, to what key names. True: it is an anomaly, and not raised yet. */
MUST_USE bool anomalies_see(struct anomalies *a, enum anomaly what, struct span key, int64_t now);
/* Of the rates: how many in how many seconds are usual. */
struct rate anomalies_usual(const struct anomalies *a, enum anomaly what);

#endif
