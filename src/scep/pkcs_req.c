/* SPDX-License-Identifier: Apache-2.0 */
/* PKCSReq (RFC 8894 3.3.1): from the envelope to the decision. */
#include "pki/name.h"
#include "scep/exchange.h"

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
 * By key, not by name: a Cisco ASA signs with another subject than it asks for. The same key may be
 * encoded in two ways (parameters NULL or absent).
 */
static bool same_key(const struct pubkey_info *signer, struct span spki)
{
	struct pubkey_info asked;

	if (span_eq(signer->spki, spki))
		return true;
	return pubkey_inspect(spki, &asked, NULL) == OK && asked.kind == signer->kind &&
	       span_eq(asked.key, signer->key);
}

static RESULT check_possession(struct scep_exchange *x, struct err *err)
{
	const struct pubkey_info *signer = pubkey_info(x->signer_key);

	if (!same_key(signer, x->csr.spki))
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 8894 2.3: the PKCSReq is signed with another key than the one "
			       "in its PKCS#10 request");
	TRY(scep_floor_digest(x, x->csr.sig_alg.digest, "PKCS#10 signature", err));
	if (span_eq(signer->spki, x->csr.spki))
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
		.ca = x->ca,
		.transaction_id = x->request.transaction_id,
		.peer = x->http->peer,
		.log = &x->log,
		.trace = &x->trace,
	};

	TRY(scep_open_envelope(x, err));
	TRY(read_csr(x, err));
	TRY(traced(x, "proof of possession", "the request is signed with its own key",
		   check_possession(x, err), err));
	TRY(read_challenge(x, err));
	req.subject = x->csr.subject;
	req.spki = x->csr.spki;
	req.exts = x->csr.exts;
	req.challenge = secret_span(&x->challenge);
	return ca_enrol(x->service->enrol, x->c, &req, out, err);
}
