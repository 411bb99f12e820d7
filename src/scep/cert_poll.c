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

/* The challenge of the PKCSReq is not kept, and there is none in a CertPoll. */
static RESULT check_can_answer(const struct scep_exchange *x, struct err *err)
{
	enum key_kind kind = pubkey_info(x->signer_key)->kind;

	if (kind == KEY_RSA)
		return OK;
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 8894 3.1: a %s key cannot decrypt the reply, and a CertPoll has no "
		       "challengePassword to encrypt it under: repeat the PKCSReq instead",
		       key_kind_name(kind));
}

enum result scep_cert_poll(struct scep_exchange *x, struct enrol_outcome *out, struct err *err)
{
	struct enrol_request req = {
		.policy = &x->endpoint->policy,
		.ca = x->ca,
		.transaction_id = x->request.transaction_id,
		.spki = x->signer.spki,
		.peer = x->http->peer,
		.log = &x->log,
		.trace = &x->trace,
	};

	TRY(scep_open_envelope(x, err));
	TRY(read_poll(x, &req.subject, err));
	TRY(check_can_answer(x, err));
	return ca_enrol_poll(x->service->enrol, x->c, &req, out, err);
}
