/* SPDX-License-Identifier: Apache-2.0 */
/* PKIOperation (RFC 8894 4.3): who signed, what is wanted, and the reply. */
#include "scep/exchange.h"

#include "pki/name.h"

static const struct {
	int type;
	scep_message_fn *serve;
} types[] = {
	{ SCEP_PKCS_REQ, scep_pkcs_req },   { SCEP_RENEWAL_REQ, scep_pkcs_req },
	{ SCEP_UPDATE_REQ, scep_pkcs_req }, { SCEP_CERT_POLL, scep_cert_poll },
	{ SCEP_GET_CERT, scep_get_cert },   { SCEP_GET_CRL, scep_get_crl },
};

static RESULT serve_type(struct scep_exchange *x, struct enrol_outcome *out, struct err *err)
{
	int type = x->request.message_type;
	size_t i;

	for (i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].type == type)
			return types[i].serve(x, out, err);
	return err_set(err, ERR_BAD_REQUEST, "RFC 8894 3.2.1.2: messageType %d is no request",
		       type);
}

/* Long or odd ones in part: the log's bound fields have a limited room. */
static void bind_transaction(struct scep_exchange *x)
{
	log_bind(&x->log, LOG_SPAN("transactionID", span_sub(x->request.transaction_id, 0, 128)));
}

static void trace_signer(struct scep_exchange *x)
{
	const struct pubkey_info *key = pubkey_info(x->signer_key);
	BUF name = BUF_INIT;

	if (name_put_text(&name, x->signer.subject, NULL) != OK)
		buf_reset(&name);
	enrol_trace_add(&x->trace, "signature", true, "%s by the %u bit %s key of \"%.80s\"",
			digest_name(x->request.sd.digest), key->bits, key_kind_name(key->kind),
			name.len ? buf_cstr(&name) : "");
}

/*
 * The outer signature. The signer's certificate is as a rule the device's own work, with a clock
 * that may be years off: it brings the key, and nothing else in it is looked at.
 */
static RESULT check_signature(struct scep_exchange *x, struct err *err)
{
	const struct cms_signed *sd = &x->request.sd;
	enum result r;

	TRY(scep_floor_digest(x, sd->digest, "digestAlgorithm", err));
	TRY(scep_floor_digest(x, sd->sig_alg.digest, "signatureAlgorithm", err));
	r = cms_signed_signer(sd, &x->signer, err);
	if (r == ERR_NOT_FOUND)
		return err_prefix(err, ERR_BAD_CHECK, "RFC 8894 2.3");
	TRY(r);
	r = pubkey_new(&x->signer_key, x->c, x->signer.spki, err);
	if (r != OK)
		return err_prefix(err, r, "RFC 8894 2.3: the signer's key");
	TRY(cms_signed_verify_with(sd, x->c, x->signer_key, err));
	trace_signer(x);
	return OK;
}

static RESULT check_attributes(const struct scep_exchange *x, struct err *err)
{
	const struct scep_message *m = &x->request;

	if (m->transaction_id.len == 0)
		return err_set(err, ERR_BAD_REQUEST, "RFC 8894 3.2.1.1: transactionID missing");
	if (m->transaction_id.len > SCEP_TRANSACTION_MAX)
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 8894 3.2.1.1: transactionID of %zu octets, the limit is %d",
			       m->transaction_id.len, SCEP_TRANSACTION_MAX);
	if (m->message_type < 0)
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 8894 3.2.1.2: messageType missing or no decimal number");
	if (!m->sender_nonce.len && x->endpoint->habits.require_nonce)
		return err_set(err, ERR_BAD_REQUEST, "RFC 8894 3.2.1.5: senderNonce missing");
	return OK;
}

static RESULT check_message(struct scep_exchange *x, struct err *err)
{
	const struct scep_message *m = &x->request;
	enum result r = check_signature(x, err);

	if (r != OK) {
		enrol_trace_add(&x->trace, "signature", false, "%s", err_text(err));
		return r;
	}
	r = check_attributes(x, err);
	if (r != OK)
		enrol_trace_add(&x->trace, "message", false, "%s", err_text(err));
	else
		enrol_trace_add(&x->trace, "message", true, "%s (%d)",
				scep_message_type_name(m->message_type), m->message_type);
	return r;
}

static void warn_of_legacy(const struct scep_exchange *x)
{
	enum digest_alg digest = x->request.sd.digest;
	enum cipher_alg cipher = x->request.envelope.cipher;

	if (digest_is_legacy(digest) || cipher_is_legacy(cipher))
		log_warning(&x->log, "legacy algorithms taken from this device",
			    LOG_STR("digest", digest_name(digest)),
			    LOG_STR("cipher", cipher_name(cipher)));
}

static RESULT reply_outcome(struct scep_exchange *x, const struct enrol_outcome *outcome,
			    struct http_reply *reply, struct err *err)
{
	switch (outcome->status) {
	case ENROL_ISSUED:
		return scep_certrep_success(x, buf_span(&outcome->cert), reply, err);
	case ENROL_PENDING:
		return scep_certrep_pending(x, reply, err);
	case ENROL_REJECTED:
		return scep_certrep_failure(x, outcome->why, outcome->reason, reply, err);
	}
	return err_set(err, ERR_INTERNAL, "outcome %d is unknown", (int)outcome->status);
}

/* What never reached a decision: on record before it is answered, as decisions are. */
static RESULT refuse(struct scep_exchange *x, enum result why, const char *reason,
		     struct http_reply *reply, struct err *err)
{
	TRY(scep_refusal_record(x, why, reason, err));
	return scep_certrep_failure(x, why, reason, reply, err);
}

static RESULT answer(struct scep_exchange *x, struct http_reply *reply, struct err *err)
{
	struct enrol_outcome outcome = { .status = ENROL_REJECTED };
	struct err refusal = { 0 };
	enum result r = check_message(x, &refusal);

	if (r == OK)
		r = serve_type(x, &outcome, &refusal);
	warn_of_legacy(x);
	if (r == OK) {
		r = reply_outcome(x, &outcome, reply, err);
	} else if (scep_is_our_fault(r)) {
		*err = refusal;
	} else {
		r = refuse(x, r, err_text(&refusal), reply, err);
	}
	enrol_outcome_clear(&outcome);
	return r;
}

/* The message: a POST's body whatever its type, or message= of the URL. */
static RESULT message_bytes(const struct scep_exchange *x, const struct scep_query *query,
			    struct buf *decoded, struct span *out, struct err *err)
{
	if (x->http->method == HTTP_POST && x->http->body.len) {
		*out = x->http->body;
		return OK;
	}
	if (!query->has_message || query->message.len == 0)
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 8894 4.1: PKIOperation without a message");
	TRY(scep_query_decode_message(buf_span(&query->message), decoded, err));
	*out = buf_span(decoded);
	return OK;
}

void scep_pki_operation(struct scep_exchange *x, const struct scep_query *query,
			struct http_reply *reply)
{
	BUF decoded = BUF_INIT;
	struct span bytes;
	struct err err = { 0 };
	enum result r = message_bytes(x, query, &decoded, &bytes, &err);

	if (r == OK)
		r = scep_message_parse(bytes, &x->request, &err);
	if (r != OK && !scep_is_our_fault(r)) {
		scep_refusal_by_http(x, 400, &err, reply);
		return;
	}
	if (r == OK) {
		bind_transaction(x);
		reply->label.operation = scep_message_type_name(x->request.message_type);
		r = answer(x, reply, &err);
	}
	if (r != OK)
		scep_reply_later(x, &err, reply);
}
