/* SPDX-License-Identifier: Apache-2.0 */
/* simpleenroll and simplereenroll (RFC 7030 4.2). */
#include "est/exchange.h"

static void decide(struct est_exchange *x, bool renewal, struct http_reply *reply)
{
	struct enrol_outcome outcome = { .status = ENROL_REJECTED };
	struct err err = { 0 };
	enum result r = est_enrol_check_possession(x, &err);
	struct span cert;

	if (r == OK)
		r = est_enrol(x, renewal, &outcome, &err);
	cert = buf_span(&outcome.cert);
	if (r != OK)
		est_reply_refused(x, &err, reply);
	else if (outcome.status == ENROL_ISSUED)
		est_reply_certs(x, &cert, 1, reply);
	else
		est_reply_outcome(x, &outcome, reply);
	enrol_outcome_clear(&outcome);
}

static void serve(struct est_exchange *x, bool renewal, struct http_reply *reply)
{
	struct err err = { 0 };
	enum result r;

	if (!est_credentials_read(x, reply))
		return;
	r = est_enrol_read(x, &err);
	if (r == OK)
		r = est_credentials_weigh(x, renewal, &err);
	if (r != OK)
		est_reply_refused(x, &err, reply);
	else if (est_credentials_are_missing(x))
		est_credentials_ask(x, "RFC 7030 3.2.3: name and password are missing", reply);
	else
		decide(x, renewal, reply);
}

void est_simpleenroll(struct est_exchange *x, struct http_reply *reply)
{
	serve(x, false, reply);
}

void est_simplereenroll(struct est_exchange *x, struct http_reply *reply)
{
	serve(x, true, reply);
}
