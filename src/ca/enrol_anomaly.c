/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/enrol_anomaly.h"

#include <stdio.h>

#define KEY_MAX 256
#define REASON_MAX 256

static const char *const kinds[] = {
	[ANOMALY_FAILURES] = "anomaly.failures",   [ANOMALY_BY_ADDRESS] = "anomaly.failures",
	[ANOMALY_ISSUANCE] = "anomaly.issuance",   [ANOMALY_HOURS] = "anomaly.hours",
	[ANOMALY_CHALLENGE] = "anomaly.challenge",
};

static void raise_it(const struct enrol_decision *d, enum anomaly what, const char *reason)
{
	const struct enrol_policy *policy = d->req->policy;
	const struct store_event event = { .time = d->auth.now,
					   .kind = kinds[what],
					   .endpoint = policy->endpoint,
					   .transaction = d->req->transaction_id,
					   .ca = policy->ca,
					   .actor = d->req->peer,
					   .reason = reason };
	struct err err = { 0 };

	log_warning(d->req->log, "anomaly", LOG_STR("kind", kinds[what]),
		    LOG_STR("reason", reason));
	if (store_add_event(d->ctx->store, &event, &err) != OK)
		log_error(d->req->log, "an anomaly could not be recorded", LOG_ERR(&err));
}

/* key: what it is about beside the endpoint; "" alone. */
static bool see(const struct enrol_decision *d, enum anomaly what, const char *key)
{
	char full[KEY_MAX];

	(void)snprintf(full, sizeof(full), "%s %s", d->req->policy->endpoint, key);
	return anomalies_see(d->req->policy->anomalies, what, span_str(full), d->auth.now);
}

static void see_rate(const struct enrol_decision *d, enum anomaly what, const char *key,
		     const char *of_what)
{
	struct rate usual;
	char reason[REASON_MAX];

	if (!see(d, what, key))
		return;
	usual = anomalies_usual(d->req->policy->anomalies, what);
	(void)snprintf(reason, sizeof(reason), "more than %u %s in %lld seconds%s%s", usual.count,
		       of_what, (long long)usual.seconds, *key ? " by " : "", key);
	raise_it(d, what, reason);
}

void enrol_anomaly_refused(const struct enrol_decision *d)
{
	char reason[REASON_MAX];

	if (!d->req->policy->anomalies)
		return;
	see_rate(d, ANOMALY_FAILURES, "", "refused requests");
	see_rate(d, ANOMALY_BY_ADDRESS, d->req->peer ? d->req->peer : "", "refused requests");
	if (!d->auth.reused[0] || !see(d, ANOMALY_CHALLENGE, d->auth.reused))
		return;
	(void)snprintf(reason, sizeof(reason),
		       "challenge %s, which was used already, with another transactionID or key",
		       d->auth.reused);
	raise_it(d, ANOMALY_CHALLENGE, reason);
}

void enrol_anomaly_issued(const struct enrol_decision *d)
{
	if (!d->req->policy->anomalies)
		return;
	see_rate(d, ANOMALY_ISSUANCE, "", "certificates");
	if (see(d, ANOMALY_HOURS, ""))
		raise_it(d, ANOMALY_HOURS, "a certificate outside of anomalies.hours");
}
