/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/answer.h"

#include "store/revocation.h"

/* One answer under way. */
struct exchange {
	const struct ocsp_source *s;
	struct crypto *c;
	const struct ocsp_request *request;
	const struct authority_ca *ca; /* the generation that answers */
	bool ours[OCSP_CERTS_MAX];     /* which of the certificates asked for are of that one */
	struct ocsp_data data;
	uint8_t responder[20];
};

/* ---- what is known of a certificate ---- */

static bool has_digest(struct exchange *x, enum digest_alg alg, struct span bytes,
		       struct span digest)
{
	uint8_t made[DIGEST_MAX];

	return crypto_digest(x->c, alg, &bytes, 1, made, NULL) == OK &&
	       span_eq(span_of(made, digest_size(alg)), digest);
}

static bool is_by(struct exchange *x, const struct ocsp_cert_id *id, const struct cert *ca)
{
	struct pubkey_info key;

	return pubkey_inspect(ca->spki, &key, NULL) == OK &&
	       has_digest(x, id->hash, key.key, id->key_hash) &&
	       has_digest(x, id->hash, ca->subject, id->name_hash);
}

/* Of this generation and those behind it; NULL: none. */
static const struct authority_ca *issuer_of(struct exchange *x, const struct ocsp_cert_id *id,
					    const struct authority_ca *from)
{
	if (id->hash == DIGEST_NONE)
		return NULL;
	while (from && !is_by(x, id, &from->ca.cert))
		from = from->next;
	return from;
}

/*
 * RFC 6960 4.2.2.2: a delegated responder answers for the key that has delegated it. So the first
 * certificate that is ours decides which generation answers.
 */
static RESULT find_generation(struct exchange *x, const struct authority_ca *oldest,
			      struct err *err)
{
	const struct authority_ca *found = NULL, *by;
	size_t i;

	for (i = 0; i < x->request->n; i++) {
		by = issuer_of(x, &x->request->certs[i], found ? found : oldest);
		if (!found)
			found = by;
		x->ours[i] = by && by == found;
	}
	if (!found)
		return err_set(err, ERR_DENIED,
			       "RFC 6960 2.3: all certificates are of issuers that this endpoint "
			       "does not answer for");
	if (!authority_ca_is_alive(found, x->s->now))
		return err_set(err, ERR_DENIED,
			       "RFC 6960 2.3: generation %u of CA \"%s\" has ended",
			       found->generation, found->name);
	if (!found->ocsp.key)
		return err_set(err, ERR_BUSY, "there is no responder's key yet");
	x->ca = found;
	return OK;
}

/* Those of the authority itself are not among the devices' in the store. */
static bool is_own(const struct authority_ca *ca, struct span serial)
{
	const struct ca_identity *own[] = { &ca->ca, &ca->ra_sign, &ca->ra_encrypt, &ca->ocsp };
	size_t i;

	for (i = 0; i < ARRAY_LEN(own); i++)
		if (own[i]->der.len && span_eq(own[i]->cert.serial, serial))
			return true;
	return false;
}

static void say_unissued(struct exchange *x, struct ocsp_single *out)
{
	out->state = x->s->endpoint->revoke_unissued ? OCSP_REVOKED : OCSP_UNKNOWN;
	out->revoked = 0; /* RFC 6960 2.2: January 1, 1970, and certificateHold */
	out->reason = CRL_CERTIFICATE_HOLD;
	x->data.extended_revoke |= x->s->endpoint->revoke_unissued;
}

static RESULT look_up(struct exchange *x, const struct ocsp_cert_id *id, struct ocsp_single *out,
		      struct err *err)
{
	struct store_status status = { 0 };
	enum result r;

	out->state = OCSP_GOOD;
	if (is_own(x->ca, id->serial))
		return OK;
	r = store_find_status(x->s->store, x->ca->name, id->serial, &status, err);
	if (r == ERR_NOT_FOUND || (r == OK && status.generation != x->ca->generation)) {
		say_unissued(x, out);
		return OK;
	}
	TRY(r);
	if (status.revoked) {
		out->state = OCSP_REVOKED;
		out->revoked = status.time;
		out->reason = (enum crl_reason)status.reason;
	}
	return OK;
}

static RESULT add_single(struct exchange *x, size_t i, struct err *err)
{
	const struct ocsp_cert_id *id = &x->request->certs[i];
	struct ocsp_single *out = &x->data.singles[x->data.n++];

	out->cert_id = id->whole;
	out->this_update = x->s->now;
	out->next_update = x->s->now + x->s->endpoint->validity;
	out->state = OCSP_UNKNOWN;
	return x->ours[i] ? look_up(x, id, out, err) : OK;
}

static RESULT look_up_all(struct exchange *x, struct err *err)
{
	size_t i;

	for (i = 0; i < x->request->n; i++)
		TRY(add_single(x, i, err));
	return OK;
}

/* ---- the answer ---- */

static RESULT sign(struct exchange *x, struct buf *out, struct err *err)
{
	const struct ca_identity *responder = &x->ca->ocsp;
	struct sig_alg alg = sig_alg_for(responder->key->kind);
	BUF data = BUF_INIT;
	BUF signature = BUF_INIT;

	x->data.produced_at = x->s->now;
	x->data.nonce = x->request->nonce;
	x->data.by_name = x->s->endpoint->by_name;
	x->data.responder = responder->cert.subject;
	if (!x->data.by_name) {
		TRY(cert_key_id(x->c, responder->cert.spki, x->responder, err));
		x->data.responder = SPAN_ARRAY(x->responder);
	}
	TRY(ocsp_response_put_data(&x->data, &data, err));
	TRY(key_sign(responder->key, x->c, KEY_FOR_OCSP, alg, buf_span(&data), &signature, err));
	return ocsp_response_assemble(buf_span(&data), alg, buf_span(&signature),
				      buf_span(&responder->der), out, err);
}

/* Of the endpoint, the certificate asked for and the responder's own. */
static RESULT cache_key(const struct exchange *x, struct buf *out, struct err *err)
{
	buf_put_str(out, x->s->endpoint->name);
	buf_put_byte(out, 0);
	buf_put(out, x->ca->ocsp.cert.serial);
	buf_put(out, x->request->certs[0].whole);
	return buf_check(out, err);
}

static RESULT answer_one(struct exchange *x, struct ocsp_said *said, struct buf *out,
			 struct err *err)
{
	BUF key = BUF_INIT;

	TRY(cache_key(x, &key, err));
	if (ocsp_cache_get(x->s->cache, buf_span(&key), x->s->now, said, out))
		return buf_check(out, err);
	TRY(sign(x, out, err));
	said->until = x->s->now + x->s->endpoint->validity / 2;
	ocsp_cache_put(x->s->cache, buf_span(&key), said, buf_span(out));
	return OK;
}

static struct ocsp_said said_of(const struct exchange *x)
{
	const struct ocsp_single *s = &x->data.singles[0];

	return (struct ocsp_said){ .state = s->state,
				   .unissued = x->data.extended_revoke,
				   .revoked = s->revoked,
				   .reason = s->reason,
				   .this_update = s->this_update,
				   .next_update = s->next_update };
}

enum result ocsp_answer(const struct ocsp_source *s, struct crypto *c,
			const struct authority_ca *ca, const struct ocsp_request *request,
			struct ocsp_said *said, struct buf *out, struct err *err)
{
	struct exchange x = { .s = s, .c = c, .request = request };

	TRY(find_generation(&x, ca, err));
	TRY(look_up_all(&x, err));
	*said = said_of(&x);
	if (request->n == 1 && !request->nonce.len && s->cache)
		return answer_one(&x, said, out, err);
	return sign(&x, out, err);
}
