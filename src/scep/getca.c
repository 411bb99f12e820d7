/* SPDX-License-Identifier: Apache-2.0 */
/* GetCACaps (RFC 8894 3.5), GetCACert (4.2) and GetNextCACert (4.7). */
#include "scep/caps.h"
#include "scep/exchange.h"

static uint32_t endpoint_caps(const struct scep_endpoint *e, const struct authority_ca *ca)
{
	/* SCEPStandard says it all; old devices look for the words that they know */
	uint32_t caps = SCEP_CAP_AES | SCEP_CAP_SHA256 | SCEP_CAP_SHA384 | SCEP_CAP_SHA512;

	if (e->habits.offer_post)
		caps |= SCEP_CAP_STANDARD | SCEP_CAP_POST;
	if (e->allow_sha1_3des || e->allow_md5_des)
		caps |= SCEP_CAP_SHA1 | SCEP_CAP_DES3;
	if (e->policy.renewal && e->policy.profile->renewal.allowed)
		caps |= SCEP_CAP_RENEWAL;
	if (ca->next)
		caps |= SCEP_CAP_GET_NEXT_CA_CERT;
	return caps;
}

static void put_body(const struct scep_exchange *x, const char *content_type, struct buf *body,
		     struct http_reply *reply)
{
	struct err err = { 0 };

	if (buf_check(body, &err) != OK) {
		scep_reply_later(x, &err, reply);
		return;
	}
	reply->status = 200;
	reply->content_type = content_type;
	reply->body = buf_take(body);
}

void scep_get_ca_caps(struct scep_exchange *x, const struct scep_query *query,
		      struct http_reply *reply)
{
	BUF body = BUF_INIT;

	(void)query; /* message= is a CA identifier, and the URL has named the CA */
	scep_caps_put(&body, endpoint_caps(x->endpoint, x->ca));
	put_body(x, "text/plain", &body, reply);
}

/* RAs, the CA, those above it. */
#define CHAIN_MAX (3 + STORE_CA_CERTS_MAX)

/* Issued ones first, as "leaf" in the words of RFC 8894 4.2.1.2, and the CA last but those above.
 */
static size_t chain_of(const struct authority_ca *ca, struct span chain[CHAIN_MAX])
{
	size_t n = 0, i;

	if (ca->has_ra)
		chain[n++] = buf_span(&ca->ra_sign.der);
	if (ca->has_ra && !ca->ra_one)
		chain[n++] = buf_span(&ca->ra_encrypt.der);
	chain[n++] = buf_span(&ca->ca.der);
	for (i = 0; i < ca->n_chain && n < CHAIN_MAX; i++)
		chain[n++] = buf_span(&ca->chain[i]);
	return n;
}

static RESULT put_chain(const struct authority_ca *ca, struct buf *out, struct err *err)
{
	struct span chain[CHAIN_MAX];

	return cms_put_degenerate(out, chain, chain_of(ca, chain), NULL, 0, err);
}

void scep_get_ca_cert(struct scep_exchange *x, const struct scep_query *query,
		      struct http_reply *reply)
{
	const char *content_type = "application/x-x509-ca-cert";
	struct err err = { 0 };
	BUF body = BUF_INIT;

	(void)query;
	if (!x->ca->has_ra && x->ca->n_chain == 0) {
		/* "ra-cert" would make Apple devices look for RA key usages in it */
		buf_put(&body, buf_span(&x->ca->ca.der));
	} else {
		content_type = "application/x-x509-ca-ra-cert";
		if (put_chain(x->ca, &body, &err) != OK) {
			scep_reply_later(x, &err, reply);
			return;
		}
	}
	put_body(x, content_type, &body, reply);
}

/* By the CA's own key, also where there is an RA (RFC 8894 4.7.1): trust in it leads to the next.
 */
static RESULT sign_next(struct scep_exchange *x, struct buf *out, struct err *err)
{
	const struct ca_identity *signer = &x->ca->ca;
	const struct span cert = buf_span(&signer->der);
	struct cms_sign sign = { .has_content = true,
				 .digest = DIGEST_SHA256,
				 .signer_cert = cert,
				 .certs = &cert,
				 .n_certs = 1,
				 .next_ca = true };
	BUF next = BUF_INIT;

	TRY(put_chain(x->ca->next, &next, err));
	sign.content = buf_span(&next);
	return cms_sign(&sign, signer->key, x->c, out, err);
}

void scep_get_next_ca_cert(struct scep_exchange *x, const struct scep_query *query,
			   struct http_reply *reply)
{
	struct err err = { 0 };
	BUF body = BUF_INIT;

	(void)query;
	if (x->ca->next && sign_next(x, &body, &err) == OK)
		put_body(x, "application/x-x509-next-ca-cert", &body, reply);
	else if (x->ca->next)
		scep_reply_later(x, &err, reply);
	else if (err_set(&err, ERR_NOT_FOUND,
			 "RFC 8894 4.7: CA \"%s\" has no next certificate, as GetCACaps tells",
			 x->ca->name))
		scep_refusal_by_http(x, 404, &err, reply);
}
