/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKI Responses (RFC 5272 4, RFC 7030 4.3.2): certificates only where that says all, else a
 * PKIResponse in SignedData, signed as all content of the CA is. Where nothing can be signed now
 * the reply is 503 alone.
 */
#include "base/random.h"
#include "der/oid.h"
#include "est/body.h"
#include "est/full_cmc.h"

#define NONCE 16

struct answer {
	int http_status;
	struct cmc_status_info status;
	struct span cert; /* empty: none */
	struct span crl;  /* the same */
};

/* ---- SignedData ---- */

static enum digest_alg digest_of(const struct full_cmc *m)
{
	enum digest_alg asked = m->sd.digest;

	return asked == DIGEST_NONE || digest_is_legacy(asked) ? DIGEST_SHA256 : asked;
}

struct certs {
	struct span list[3 + STORE_CA_CERTS_MAX];
	size_t n;
};

/* RFC 5272 4.2: with all that it takes to verify what was issued, and who signs. */
static struct certs certs_for(const struct full_cmc *m, struct span leaf)
{
	const struct authority_ca *ca = m->x->ca;
	struct certs certs = { .n = 0 };
	size_t i;

	if (leaf.len)
		certs.list[certs.n++] = leaf;
	certs.list[certs.n++] = buf_span(&ca->ca.der);
	for (i = 0; i < ca->n_chain && certs.n < ARRAY_LEN(certs.list) - 1; i++)
		certs.list[certs.n++] = buf_span(&ca->chain[i]);
	return certs;
}

static RESULT sign(const struct full_cmc *m, const struct answer *a, struct span content,
		   struct buf *out, struct err *err)
{
	const struct ca_identity *signer = authority_ca_signer(m->x->ca);
	struct certs certs = certs_for(m, a->cert);
	const struct cms_sign s = { .has_content = true,
				    .content = content,
				    .content_type = OID_CCT_PKI_RESPONSE,
				    .digest = digest_of(m),
				    .signer_cert = buf_span(&signer->der),
				    .certs = certs.list,
				    .n_certs = certs.n + (signer != &m->x->ca->ca),
				    .crls = &a->crl,
				    .n_crls = a->crl.len != 0 };

	certs.list[certs.n] = s.signer_cert;
	return cms_sign(&s, signer->key, m->x->c, out, err);
}

static RESULT put_full(const struct full_cmc *m, const struct answer *a, struct buf *out,
		       struct err *err)
{
	struct cmc_pki_response response = { .has_status = true,
					     .status = a->status,
					     .transaction_id = m->transaction_id,
					     .recipient_nonce = m->sender_nonce,
					     .data_return = m->data_return };
	uint8_t nonce[NONCE];
	BUF content = BUF_INIT;

	TRY(random_fill(nonce, sizeof(nonce), err));
	if (m->sender_nonce.len)
		response.sender_nonce = SPAN_ARRAY(nonce);
	cmc_pki_response_put(&content, &response);
	TRY(buf_check(&content, err));
	return sign(m, a, buf_span(&content), out, err);
}

static RESULT put_simple(const struct full_cmc *m, const struct answer *a, struct buf *out,
			 struct err *err)
{
	struct certs certs = certs_for(m, a->cert);

	return cms_put_degenerate(out, certs.list, certs.n, &a->crl, a->crl.len != 0, err);
}

/* RFC 5272 3.2: nothing but certificates and lists is returned, and nothing is to be echoed. */
static bool is_simple(const struct full_cmc *m, const struct answer *a)
{
	return a->status.status == CMC_SUCCESS && (a->cert.len || a->crl.len) &&
	       m->transaction_id.len + m->sender_nonce.len + m->data_return.len == 0;
}

static void send_answer(const struct full_cmc *m, struct answer *a, struct http_reply *reply)
{
	bool simple = is_simple(m, a);
	struct err err = { 0 };
	BUF der = BUF_INIT;
	enum result r;

	/* RFC 5272 6.1.1: a status is of something; 0 is the message itself */
	memcpy(a->status.bodies, m->bodies, sizeof(m->bodies));
	a->status.n_bodies = m->n_bodies ? m->n_bodies : 1;
	r = simple ? put_simple(m, a, &der, &err) : put_full(m, a, &der, &err);
	if (r != OK) {
		est_reply_later(m->x, &err, reply);
		return;
	}
	est_reply_der(m->x, simple ? EST_TYPE_CERTS : EST_TYPE_CMC_RESPONSE, buf_span(&der), reply);
	if (reply->status == 200)
		reply->status = a->http_status;
}

/* ---- what there is to say ---- */

static struct answer success(void)
{
	return (struct answer){ .http_status = 200,
				.status = { .status = CMC_SUCCESS, .fail_info = CMC_FAIL_NONE } };
}

void full_cmc_reply_cert(struct full_cmc *m, struct span cert, struct http_reply *reply)
{
	struct answer a = success();

	a.cert = cert;
	send_answer(m, &a, reply);
}

void full_cmc_reply_crl(struct full_cmc *m, struct span crl, struct http_reply *reply)
{
	struct answer a = success();

	a.crl = crl;
	send_answer(m, &a, reply);
}

void full_cmc_reply_done(struct full_cmc *m, const char *text, struct http_reply *reply)
{
	struct answer a = success();

	a.status.text = span_str(text);
	send_answer(m, &a, reply);
}

/* RFC 5272 6.13: a poll has the token; said again it would have to be with the time of then. */
static bool has_token(const struct full_cmc *m)
{
	return m->data.n_requests == 0;
}

static void send_pending(struct full_cmc *m, struct http_reply *reply)
{
	unsigned seconds = est_reply_retry_after(m->x);
	struct answer a = { .http_status = 202,
			    .status = { .status = CMC_PENDING,
					.text = SPAN_LIT("the request waits for approval"),
					.fail_info = CMC_FAIL_NONE } };
	struct err err = { 0 };
	BUF token = BUF_INIT;

	if (!has_token(m))
		full_cmc_put_token(m->x, &token);
	if (buf_check(&token, &err) != OK) {
		est_reply_later(m->x, &err, reply);
		return;
	}
	a.status.pend_token = buf_span(&token);
	a.status.pend_time = clock_now(m->x->service->enrol->clock) + seconds;
	send_answer(m, &a, reply);
	if (reply->status == a.http_status)
		http_reply_header(reply, "Retry-After", "%u", seconds);
}

static void send_failure(struct full_cmc *m, enum result why, const char *text,
			 struct http_reply *reply)
{
	const struct err_map *map = err_map(why);
	struct answer a = { .http_status = map->http_status,
			    .status = { .status = m->status,
					.fail_info = m->fail_info == CMC_FAIL_NONE
							 ? map->cmc_fail_info
							 : m->fail_info } };

	if (m->status != CMC_FAILED) /* RFC 5272 6.1.1: only there it may stand */
		a.status.fail_info = CMC_FAIL_NONE;
	a.status.text = span_str(text);
	send_answer(m, &a, reply);
}

void full_cmc_reply_outcome(struct full_cmc *m, const struct enrol_outcome *outcome,
			    struct http_reply *reply)
{
	if (outcome->status == ENROL_ISSUED) {
		full_cmc_reply_cert(m, buf_span(&outcome->cert), reply);
	} else if (outcome->status == ENROL_PENDING) {
		send_pending(m, reply);
	} else {
		send_failure(m, outcome->why, outcome->reason, reply);
		if (est_reply_is_unauthorised(m->x, outcome) && reply->status < 500)
			est_credentials_ask(m->x, NULL, reply);
	}
}

void full_cmc_refuse(struct full_cmc *m, const struct err *why, struct http_reply *reply)
{
	if (err_map(why->code)->http_status >= 500) {
		est_reply_later(m->x, why, reply);
		return;
	}
	est_reply_record(m->x, true, why);
	send_failure(m, why->code, err_text(why), reply);
}
