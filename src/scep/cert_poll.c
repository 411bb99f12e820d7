/* SPDX-License-Identifier: Apache-2.0 */
/* CertPoll (RFC 8894 3.3.3): what has become of a request that was answered PENDING. */
#include "der/reader.h"
#include "pki/name.h"
#include "scep/exchange.h"

/* IssuerAndSubject: two names. The transactionID and the key say which request is meant. */
static RESULT read_names(struct scep_exchange *x, struct span *subject, struct err *err)
{
	struct der_tlv issuer, name;
	struct der_reader r;

	TRY(der_read_whole(buf_span(&x->plain), DER_SEQUENCE, "IssuerAndSubject", &r, err));
	TRY(der_read(&r, DER_SEQUENCE, "IssuerAndSubject.issuer", &issuer, err));
	TRY(der_read(&r, DER_SEQUENCE, "IssuerAndSubject.subject", &name, err));
	TRY(der_end(&r, "IssuerAndSubject", err));
	TRY(name_check(name.whole, err));
	*subject = name.whole;
	return OK;
}

static RESULT read_poll(struct scep_exchange *x, struct span *subject, struct err *err)
{
	struct err detail = { 0 };
	BUF name = BUF_INIT;

	if (read_names(x, subject, &detail) != OK)
		return scep_does_not_open(x, "request", &detail, err);
	if (name_put_text(&name, *subject, NULL) != OK)
		buf_reset(&name);
	enrol_trace_add(&x->trace, "request", true, "poll for \"%.120s\"",
			name.len ? buf_cstr(&name) : "");
	return OK;
}

enum result scep_cert_poll(struct scep_exchange *x, struct enrol_outcome *out, struct err *err)
{
	struct enrol_request req = {
		.policy = &x->endpoint->policy,
		.words = &scep_words,
		.transaction_id = x->request.transaction_id,
		.spki = x->signer.spki,
		.peer = x->http->peer,
		.log = &x->log,
		.trace = &x->trace,
	};

	TRY(scep_open_envelope(x, err));
	req.ca = x->ca;
	TRY(read_poll(x, &req.subject, err));
	TRY(scep_certrep_possible(x, err));
	return ca_enrol_poll(x->service->enrol, x->c, &req, out, err);
}
