/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certification requests within a Full PKI Request, and polls for what has become of them (RFC 5272
 * 3.2.1.2, 6.13). Decided as simpleenroll's are, and the same request under the same key is the
 * same whichever way it comes.
 */
#include <ctype.h>

#include "der/oid.h"
#include "der/writer.h"
#include "est/full_cmc.h"
#include "pki/crmf.h"

/* ---- a certification request ---- */

static RESULT take_pkcs10(struct full_cmc *m, struct span body, struct err *err)
{
	return err_prefix(err, csr_parse(body, &m->x->csr, err), "RFC 5272 3.2.1.2.1");
}

/* RFC 5272 3.2.1.2.2 has it without regInfo; the controls that we take are CMC's. */
static RESULT take_crmf(struct full_cmc *m, struct span body, struct err *err)
{
	struct crmf crmf;

	TRY(err_prefix(err, crmf_parse(body, &crmf, err), "RFC 5272 3.2.1.2.2"));
	if (crmf.has_reg_info || crmf.has_controls)
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 5272 3.2.1.2.2: the CRMF request has %s, which this server "
			       "takes as controls of the PKIData only",
			       crmf.has_reg_info ? "regInfo" : "controls");
	if (crmf.pop == CRMF_POP_NONE)
		m->fail_info = CMC_FAIL_POP_REQUIRED;
	return crmf_to_csr(&crmf, &m->spki, &m->x->csr, err);
}

static RESULT take_other(struct full_cmc *m, UNUSED struct span body, struct err *err)
{
	m->status = CMC_NO_SUPPORT;
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 5272 3.2.1.2: this server takes PKCS#10 (tcr) and CRMF (crm) requests, "
		       "no others (orm)");
}

static const struct format {
	const char *name;
	RESULT (*read)(struct full_cmc *m, struct span body, struct err *err);
} formats[] = {
	[CMC_PKCS10] = { "PKCS#10 in PKIData", take_pkcs10 },
	[CMC_CRMF] = { "CRMF in PKIData", take_crmf },
	[CMC_OTHER] = { "another request", take_other },
};

static RESULT take_request(struct full_cmc *m, struct err *err)
{
	const struct format *format = &formats[m->data.requests[0].kind];
	const struct csr *csr = &m->x->csr;
	struct ext ski = { 0 };
	struct der_reader r;
	struct der_tlv id;

	TRY(format->read(m, m->data.requests[0].body, err));
	m->own_key = csr->spki;
	if (ext_find(csr->exts, OID_SUBJECT_KEY_ID, &ski, NULL) == OK) {
		der_reader_init(&r, ski.value);
		TRY(der_read(&r, DER_OCTET_STRING, "subjectKeyIdentifier", &id, err));
		m->own_ski = id.content;
	}
	return est_enrol_identify(m->x, format->name, err);
}

static RESULT prepare(struct full_cmc *m, struct err *err)
{
	TRY(take_request(m, err));
	TRY(full_cmc_check_signature(m, err));
	TRY(est_credentials_weigh(m->x, err));
	return full_cmc_check_proofs(m, err);
}

/* RFC 5272 3.2 c has a word of its own for a profile that wants another key at each renewal. */
static bool reuses_key(const struct full_cmc *m, const struct enrol_outcome *outcome)
{
	const struct est_exchange *x = m->x;

	return outcome->status == ENROL_REJECTED && outcome->why == ERR_BAD_TEMPLATE &&
	       x->current && x->endpoint->policy.profile->renewal.new_key == PROFILE_KEY_REQUIRED &&
	       pubkey_same(x->current->spki, x->spki);
}

/* RFC 5272 3.2: signed with a certificate, and no secret shown. */
static bool is_renewal(const struct full_cmc *m)
{
	return m->signer_is_ours && m->x->current && m->x->password.len == 0;
}

enum result full_cmc_enrol(struct full_cmc *m, UNUSED const struct cmc_control *asked,
			   struct http_reply *reply, struct err *err)
{
	struct enrol_outcome outcome = { .status = ENROL_REJECTED };
	enum result r;

	TRY(prepare(m, err));
	m->x->renewal = is_renewal(m);
	if (est_credentials_are_missing(m->x)) {
		est_credentials_ask(m->x, NULL, reply);
		return OK;
	}
	TRY(est_enrol_check_possession(m->x, err));
	r = est_enrol(m->x, &outcome, err);
	if (r == OK) {
		if (reuses_key(m, &outcome))
			m->fail_info = CMC_FAIL_NO_KEY_REUSE;
		full_cmc_reply_outcome(m, &outcome, reply);
	}
	enrol_outcome_clear(&outcome);
	return r;
}

/* ---- a poll ---- */

void full_cmc_put_token(const struct est_exchange *x, struct buf *out)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_octets(out, span_str(x->transaction));
	buf_put(out, x->spki);
	der_close(out, seq);
}

static bool is_transaction(struct span text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (!isxdigit(text.p[i]))
			return false;
	return text.len == EST_TRANSACTION;
}

/* It has no secret in it, and needs none: who polls proves to have the key that it names. */
enum result full_cmc_read_token(struct span token, struct est_exchange *x, struct err *err)
{
	struct der_tlv transaction, spki;
	struct pubkey_info key;
	struct der_reader r;

	TRY(der_read_whole(token, DER_SEQUENCE, "pendToken", &r, err));
	TRY(der_read(&r, DER_OCTET_STRING, "pendToken", &transaction, err));
	TRY(der_read(&r, DER_SEQUENCE, "pendToken", &spki, err));
	TRY(der_end(&r, "pendToken", err));
	TRY(pubkey_inspect(spki.whole, &key, err));
	if (!is_transaction(transaction.content))
		return err_set(err, ERR_SYNTAX, "pendToken: none of this server's");
	memcpy(x->transaction, transaction.content.p, EST_TRANSACTION);
	x->spki = spki.whole;
	log_bind(&x->log, LOG_STR("transaction", x->transaction));
	return OK;
}

static RESULT read_poll(struct full_cmc *m, const struct cmc_control *asked, struct err *err)
{
	struct der_tlv token;

	TRY(cmc_control_value(asked, "queryPending", &token, err));
	if (token.tag != DER_OCTET_STRING || full_cmc_read_token(token.content, m->x, NULL) != OK)
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 5272 6.13: queryPending has no token of this server's");
	m->own_key = m->x->spki;
	TRY(full_cmc_check_signature(m, err));
	if (m->signed_by_own || pubkey_same(m->signer.spki, m->own_key))
		return OK;
	if (full_cmc_is_registrar(m))
		return full_cmc_check_standing(m, err);
	return err_set(err, ERR_DENIED,
		       "RFC 5272 6.13: the poll is signed neither with the key of the request that "
		       "waits nor by a registration authority");
}

enum result full_cmc_query_pending(struct full_cmc *m, const struct cmc_control *asked,
				   struct http_reply *reply, struct err *err)
{
	static const struct enrol_words words = { .renewal = "RFC 5272 3.2",
						  .missing = "RFC 5272 6.2: no secret is shown",
						  .poll = "RFC 5272 6.13" };
	struct enrol_outcome outcome = { .status = ENROL_REJECTED };
	struct est_exchange *x = m->x;
	struct enrol_request req = {
		.policy = &x->endpoint->policy,
		.ca = x->ca,
		.words = &words,
		.anew = true,
		.peer = x->http->peer,
		.source = address_key(&x->http->address),
		.log = &x->log,
		.trace = &x->trace,
	};

	TRY(read_poll(m, asked, err));
	req.transaction_id = span_str(x->transaction);
	req.spki = x->spki;
	TRY(ca_enrol_poll(x->service->enrol, x->c, &req, &outcome, err));
	full_cmc_reply_outcome(m, &outcome, reply);
	enrol_outcome_clear(&outcome);
	return OK;
}
