/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals that are none of ca_enrol's: each is an event before the device hears of it. */
#include "scep/exchange.h"

static struct enrol_request known_of(struct scep_exchange *x)
{
	return (struct enrol_request){
		.policy = &x->endpoint->policy,
		.ca = x->ca,
		.transaction_id = span_sub(x->request.transaction_id, 0, SCEP_TRANSACTION_MAX),
		.subject = x->csr.subject,
		.spki = x->csr.spki,
		.peer = x->http->peer,
		.log = &x->log,
		.trace = &x->trace,
	};
}

enum result scep_refusal_record(struct scep_exchange *x, enum result why, const char *reason,
				struct err *err)
{
	struct enrol_request req = known_of(x);

	enrol_trace_fail(&x->trace, "message", reason);
	return ca_enrol_refused(x->service->enrol, &req, why, reason, err);
}

void scep_refusal_by_http(struct scep_exchange *x, int status, const struct err *why,
			  struct http_reply *reply)
{
	struct enrol_request req = known_of(x);
	struct err err = { 0 };

	enrol_trace_add(&x->trace, "message", false, "answered by HTTP %d", status);
	if (ca_enrol_unreadable(x->service->enrol, &req, why->code, err_text(why), &err) != OK)
		scep_reply_later(x, &err, reply);
	else
		http_reply_text(reply, status, "%s", err_text(why));
}
