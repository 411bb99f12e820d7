/* SPDX-License-Identifier: Apache-2.0 */
/* GetCACaps (RFC 8894 3.5) and GetCACert (4.2). */
#include "scep/caps.h"
#include "scep/exchange.h"

static uint32_t endpoint_caps(const struct scep_endpoint *e)
{
	/* SCEPStandard says it all; old devices look for the words that they know */
	uint32_t caps = SCEP_CAP_AES | SCEP_CAP_SHA256 | SCEP_CAP_SHA384 | SCEP_CAP_SHA512;

	if (e->habits.offer_post)
		caps |= SCEP_CAP_STANDARD | SCEP_CAP_POST;
	if (e->allow_sha1_3des || e->allow_md5_des)
		caps |= SCEP_CAP_SHA1 | SCEP_CAP_DES3;
	if (e->policy.renewal && e->policy.profile->renewal.allowed)
		caps |= SCEP_CAP_RENEWAL;
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
	scep_caps_put(&body, endpoint_caps(x->endpoint));
	put_body(x, "text/plain", &body, reply);
}

/* Issued ones first, as "leaf" in the words of RFC 8894 4.2.1.2, and the CA last. */
static size_t chain_of(const struct authority_ca *ca, struct span chain[3])
{
	size_t n = 0;

	chain[n++] = buf_span(&ca->ra_sign.der);
	if (!ca->ra_one)
		chain[n++] = buf_span(&ca->ra_encrypt.der);
	chain[n++] = buf_span(&ca->ca.der);
	return n;
}

void scep_get_ca_cert(struct scep_exchange *x, const struct scep_query *query,
		      struct http_reply *reply)
{
	const char *content_type = "application/x-x509-ca-cert";
	struct err err = { 0 };
	struct span chain[3];
	BUF body = BUF_INIT;

	(void)query;
	if (!x->ca->has_ra) {
		/* "ra-cert" would make Apple devices look for RA key usages in it */
		buf_put(&body, buf_span(&x->ca->ca.der));
	} else {
		content_type = "application/x-x509-ca-ra-cert";
		if (cms_put_degenerate(&body, chain, chain_of(x->ca, chain), NULL, 0, &err) != OK) {
			scep_reply_later(x, &err, reply);
			return;
		}
	}
	put_body(x, content_type, &body, reply);
}
