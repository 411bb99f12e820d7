/* SPDX-License-Identifier: Apache-2.0 */
/* CertRep (RFC 8894 3.3.2), server side: what was decided, in the algorithms of the request. */
#include "base/random.h"
#include "scep/exchange.h"

/* What the device used it can read; what is below the floor we do not sign with either. */
static enum digest_alg reply_digest(const struct scep_exchange *x)
{
	enum digest_alg asked = x->request.sd.digest;

	if (asked == DIGEST_NONE || scep_floor_digest(x, asked, "", NULL) != OK)
		return DIGEST_SHA256;
	return asked;
}

static RESULT sign(struct scep_exchange *x, struct scep_message_new *m, struct buf *out,
		   struct err *err)
{
	const struct ca_identity *signer = authority_ca_signer(x->speaker);
	uint8_t nonce[SCEP_NONCE];
	enum result r;

	TRY(random_fill(nonce, sizeof(nonce), err));
	m->message_type = SCEP_CERT_REP;
	m->transaction_id = x->request.transaction_id;
	m->transaction_tag = x->request.transaction_tag;
	m->sender_nonce = SPAN_ARRAY(nonce);
	m->recipient_nonce = x->request.sender_nonce;
	m->digest = reply_digest(x);
	m->signer_cert = buf_span(&signer->der);
	r = scep_message_build(m, signer->key, x->c, out, err);
	m->sender_nonce = SPAN_NONE;
	return r;
}

/* Takes the body. */
static void answer(struct http_reply *reply, struct buf *body, const char *outcome)
{
	reply->status = 200;
	reply->content_type = "application/x-pki-message";
	reply->body = buf_take(body);
	reply->label.outcome = outcome;
	/* a GET that makes certificates must not be answered by a proxy */
	http_reply_header(reply, "Cache-Control", "no-store");
}

/* The issued certificate first: some devices take the first whatever it is. */
static RESULT put_certs(const struct scep_exchange *x, struct span leaf, struct buf *out,
			struct err *err)
{
	struct span certs[2 + STORE_CA_CERTS_MAX] = { leaf, buf_span(&x->ca->ca.der) };
	size_t n = 2, i;

	if (x->crl)
		return cms_put_degenerate(out, NULL, 0, &x->crl->der, 1, err);
	for (i = 0; i < x->ca->n_chain && n < ARRAY_LEN(certs); i++)
		certs[n++] = buf_span(&x->ca->chain[i]);
	return cms_put_degenerate(out, certs, x->endpoint->habits.include_ca ? n : 1, NULL, 0, err);
}

static RESULT put_envelope(const struct scep_exchange *x, struct span plain, struct buf *out,
			   struct err *err)
{
	const struct cms_envelop e = { .plain = plain,
				       .cipher = x->request.envelope.cipher,
				       .transport = x->transport };
	const struct cms_holder device = { .key = x->signer_key,
					   .issuer = x->signer.issuer,
					   .serial = x->signer.serial };

	if (pubkey_info(x->signer_key)->kind != KEY_RSA)
		return cms_envelop_to_password(&e, x->c, secret_span(&x->challenge), out, err);
	return cms_envelop_to_holder(&e, x->c, &device, out, err);
}

enum result scep_certrep_possible(const struct scep_exchange *x, struct err *err)
{
	enum key_kind kind = pubkey_info(x->signer_key)->kind;

	if (kind == KEY_RSA)
		return OK;
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 8894 3.1: a %s key cannot decrypt the reply, and a %s has no "
		       "challengePassword to encrypt it under; a PKCSReq has",
		       key_kind_name(kind), scep_message_type_name(x->request.message_type));
}

static RESULT make_success(struct scep_exchange *x, struct span leaf, struct buf *out,
			   struct err *err)
{
	struct scep_message_new m = { .pki_status = SCEP_SUCCESS, .fail_info = -1 };
	BUF certs = BUF_INIT;
	BUF envelope = BUF_INIT;

	TRY(put_certs(x, leaf, &certs, err));
	TRY(put_envelope(x, buf_span(&certs), &envelope, err));
	m.envelope = buf_span(&envelope);
	return sign(x, &m, out, err);
}

void scep_certrep_early(void *ctx, struct span leaf)
{
	struct scep_exchange *x = ctx;

	buf_reset(&x->early.leaf);
	buf_reset(&x->early.reply);
	err_clear(&x->early.err);
	x->early.result = make_success(x, leaf, &x->early.reply, &x->early.err);
	buf_put(&x->early.leaf, leaf);
}

static bool has_early(const struct scep_exchange *x, struct span leaf)
{
	const struct buf *of = &x->early.leaf;

	return of->len && !of->failed && span_eq(buf_span(of), leaf);
}

/* What has failed is not tried again: a keeper that is away would take its timeout twice. */
static RESULT take_early(struct scep_exchange *x, struct buf *out, struct err *err)
{
	if (x->early.result != OK)
		return err_set(err, x->early.result, "%s", err_text(&x->early.err));
	*out = buf_take(&x->early.reply);
	return OK;
}

enum result scep_certrep_success(struct scep_exchange *x, struct span leaf,
				 struct http_reply *reply, struct err *err)
{
	BUF body = BUF_INIT;

	if (has_early(x, leaf))
		TRY(take_early(x, &body, err));
	else
		TRY(make_success(x, leaf, &body, err));
	answer(reply, &body, "success");
	return OK;
}

enum result scep_certrep_pending(struct scep_exchange *x, struct http_reply *reply, struct err *err)
{
	struct scep_message_new m = { .pki_status = SCEP_PENDING, .fail_info = -1 };
	BUF body = BUF_INIT;

	TRY(sign(x, &m, &body, err));
	answer(reply, &body, "pending");
	return OK;
}

enum result scep_certrep_failure(struct scep_exchange *x, enum result why, const char *text,
				 struct http_reply *reply, struct err *err)
{
	struct scep_message_new m = { .pki_status = SCEP_FAILURE,
				      .fail_info = err_map(why)->scep_fail_info,
				      .fail_info_text = text };
	BUF body = BUF_INIT;

	TRY(sign(x, &m, &body, err));
	answer(reply, &body, "failure");
	if (m.fail_info >= 0)
		reply->label.reason = scep_fail_info_name(m.fail_info);
	return OK;
}
