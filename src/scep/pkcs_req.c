/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCSReq and RenewalReq (RFC 8894 3.3.1), and UpdateReq, which drafts had in the latter's place:
 * from the envelope to the decision.
 */
#include "pki/name.h"
#include "scep/exchange.h"
#include "scep/validity.h"

static RESULT read_csr(struct scep_exchange *x, struct err *err)
{
	struct err detail = { 0 };
	enum result r = csr_parse(buf_span(&x->plain), &x->csr, &detail);
	BUF name = BUF_INIT;

	if (scep_is_our_fault(r)) {
		*err = detail;
		return r;
	}
	if (r != OK)
		return scep_does_not_open(x, "request", &detail, err);
	if (name_put_text(&name, x->csr.subject, NULL) != OK)
		buf_reset(&name);
	enrol_trace_add(&x->trace, "request", true, "PKCS#10 for \"%.120s\"",
			name.len ? buf_cstr(&name) : "");
	return OK;
}

/*
 * Does its certificate say that this CA issued it? A PKCSReq signed with such a one is a renewal
 * (RFC 8894 2.3), which many clients ask for so; others sign with whatever they have.
 */
static bool shows_current(const struct scep_exchange *x)
{
	return x->request.message_type != SCEP_PKCS_REQ ||
	       name_equal(x->signer.issuer, x->ca->ca.cert.subject);
}

/*
 * By key, not by name: a Cisco ASA signs with another subject than it asks for. Only a renewal may
 * be for another key than it is signed with.
 */
static RESULT check_signer(const struct scep_exchange *x, bool own_key, struct err *err)
{
	if (own_key || shows_current(x))
		return OK;
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 8894 2.3: the PKCSReq is signed with another key than the one in its "
		       "PKCS#10 request, and not with a certificate of CA \"%s\"",
		       x->ca->name);
}

static RESULT check_possession(struct scep_exchange *x, bool own_key, struct err *err)
{
	TRY(check_signer(x, own_key, err));
	TRY(scep_floor_digest(x, x->csr.sig_alg.digest, "PKCS#10 signature", err));
	if (span_eq(pubkey_info(x->signer_key)->spki, x->csr.spki))
		return csr_verify_with(&x->csr, x->c, x->signer_key, err);
	return csr_verify(&x->csr, x->c, err);
}

/* A key that cannot decrypt gets its reply under the challenge (RFC 8894 3.1), so it needs one. */
static RESULT read_challenge(struct scep_exchange *x, struct err *err)
{
	const struct pubkey_info *signer = pubkey_info(x->signer_key);
	enum result r = csr_challenge(&x->csr, &x->challenge, err);

	if (r == ERR_NOT_FOUND) {
		err_clear(err);
		r = OK;
	}
	TRY(r);
	if (signer->kind != KEY_RSA && secret_span(&x->challenge).len == 0)
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 8894 3.1: a %s key cannot decrypt the reply, so the request "
			       "must have a challengePassword to encrypt it under",
			       key_kind_name(signer->kind));
	return OK;
}

static RESULT traced(struct scep_exchange *x, const char *step, const char *fine, enum result r,
		     const struct err *err)
{
	enrol_trace_add(&x->trace, step, r == OK, "%s", r == OK ? fine : err_text(err));
	return r;
}

enum result scep_pkcs_req(struct scep_exchange *x, struct enrol_outcome *out, struct err *err)
{
	struct enrol_request req = {
		.policy = &x->endpoint->policy,
		.words = &scep_words,
		.transaction_id = x->request.transaction_id,
		.peer = x->http->peer,
		.source = address_key(&x->http->address),
		.log = &x->log,
		.trace = &x->trace,
		.meanwhile = scep_certrep_early,
		.meanwhile_ctx = x,
	};

	bool own_key;

	TRY(scep_open_envelope(x, err));
	req.ca = x->ca;
	TRY(read_csr(x, err));
	own_key = pubkey_same(x->signer.spki, x->csr.spki);
	TRY(traced(x, "proof of possession", "the request is signed with its own key",
		   check_possession(x, own_key, err), err));
	TRY(read_challenge(x, err));
	req.subject = x->csr.subject;
	req.spki = x->csr.spki;
	req.exts = x->csr.exts;
	if (x->endpoint->habits.asked_validity)
		TRY(scep_validity_asked(&x->csr, &req.validity, err));
	req.challenge = secret_span(&x->challenge);
	req.current = shows_current(x) ? &x->signer : NULL;
	/* a challenge is for the key that the message is signed with */
	req.renewal_only = x->request.message_type != SCEP_PKCS_REQ || !own_key;
	return ca_enrol(x->service->enrol, x->c, &req, out, err);
}
