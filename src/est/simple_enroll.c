/* SPDX-License-Identifier: Apache-2.0 */
/* simpleenroll and simplereenroll (RFC 7030 4.2). */
#include "est/exchange.h"

static void serve(struct est_exchange *x, struct http_reply *reply)
{
	struct enrol_outcome outcome = { .status = ENROL_REJECTED };
	struct err err = { 0 };
	struct span cert;
	enum result r;

	if (!est_enrol_prepare(x, reply))
		return;
	r = est_enrol(x, &outcome, &err);
	cert = buf_span(&outcome.cert);
	if (r != OK)
		est_reply_refused(x, &err, reply);
	else if (outcome.status == ENROL_ISSUED)
		est_reply_certs(x, &cert, 1, reply);
	else
		est_reply_outcome(x, &outcome, reply);
	enrol_outcome_clear(&outcome);
}

void est_simpleenroll(struct est_exchange *x, struct http_reply *reply)
{
	serve(x, reply);
}

void est_simplereenroll(struct est_exchange *x, struct http_reply *reply)
{
	x->renewal = true;
	serve(x, reply);
}
