/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/enrol_anomaly.h"

#include <stdio.h>

#include "ca/anomaly_raise.h"

#define REASON_MAX 256

static struct anomaly_scene scene_of(const struct enrol_decision *d)
{
	const struct enrol_policy *policy = d->req->policy;

	return (struct anomaly_scene){ .anomalies = policy->anomalies,
				       .store = d->ctx->store,
				       .log = d->req->log,
				       .endpoint = policy->endpoint,
				       .ca = policy->ca,
				       .transaction = d->req->transaction_id,
				       .peer = d->req->peer,
				       .now = d->auth.now };
}

void enrol_anomaly_refused(const struct enrol_decision *d)
{
	const struct anomaly_scene scene = scene_of(d);
	char reason[REASON_MAX];

	if (!scene.anomalies)
		return;
	anomaly_raise_failure(&scene, "refused requests");
	if (!d->auth.reused[0])
		return;
	(void)snprintf(reason, sizeof(reason),
		       "challenge %s, which was used already, with another transactionID or key",
		       d->auth.reused);
	anomaly_raise(&scene, ANOMALY_CHALLENGE, d->auth.reused, reason);
}

void enrol_anomaly_issued(const struct enrol_decision *d)
{
	const struct anomaly_scene scene = scene_of(d);

	if (!scene.anomalies)
		return;
	anomaly_raise_rate(&scene, ANOMALY_ISSUANCE, "", "certificates");
	anomaly_raise(&scene, ANOMALY_HOURS, "", "a certificate outside of anomalies.hours");
}
