/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/anomaly_raise.h"

#include <stdio.h>

#define KEY_MAX 256
#define REASON_MAX 256

static const char *const kinds[] = {
	[ANOMALY_FAILURES] = "anomaly.failures",   [ANOMALY_BY_ADDRESS] = "anomaly.failures",
	[ANOMALY_ISSUANCE] = "anomaly.issuance",   [ANOMALY_HOURS] = "anomaly.hours",
	[ANOMALY_CHALLENGE] = "anomaly.challenge",
};

static void put_on_record(const struct anomaly_scene *s, enum anomaly what, const char *reason)
{
	const struct store_event event = { .time = s->now,
					   .kind = kinds[what],
					   .endpoint = s->endpoint,
					   .transaction = s->transaction,
					   .ca = s->ca,
					   .actor = s->peer,
					   .reason = reason };
	struct err err = { 0 };

	log_warning(s->log, "anomaly", LOG_STR("kind", kinds[what]), LOG_STR("reason", reason));
	if (store_add_event(s->store, &event, &err) != OK)
		log_error(s->log, "an anomaly could not be recorded", LOG_ERR(&err));
}

/* No endpoint's name has a blank in it. */
static bool see(const struct anomaly_scene *s, enum anomaly what, const char *key)
{
	char full[KEY_MAX];

	(void)snprintf(full, sizeof(full), "%s %s", s->endpoint ? s->endpoint : "admin API", key);
	return s->anomalies && anomalies_see(s->anomalies, what, span_str(full), s->now);
}

void anomaly_raise(const struct anomaly_scene *s, enum anomaly what, const char *key,
		   const char *reason)
{
	if (see(s, what, key))
		put_on_record(s, what, reason);
}

void anomaly_raise_rate(const struct anomaly_scene *s, enum anomaly what, const char *key,
			const char *of_what)
{
	struct rate usual;
	char reason[REASON_MAX];

	if (!see(s, what, key))
		return;
	usual = anomalies_usual(s->anomalies, what);
	(void)snprintf(reason, sizeof(reason), "more than %u %s in %lld seconds%s%s", usual.count,
		       of_what, (long long)usual.seconds, *key ? " by " : "", key);
	put_on_record(s, what, reason);
}

void anomaly_raise_failure(const struct anomaly_scene *s, const char *of_what)
{
	anomaly_raise_rate(s, ANOMALY_FAILURES, "", of_what);
	anomaly_raise_rate(s, ANOMALY_BY_ADDRESS, s->peer ? s->peer : "", of_what);
}
