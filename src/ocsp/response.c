/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/response.h"

#include "der/oid.h"
#include "der/writer.h"

/* RevokedInfo IMPLICIT [1]; unspecified is said by leaving the reason out. */
static void put_revoked(struct buf *out, const struct ocsp_single *s)
{
	uint8_t reason = (uint8_t)s->reason;
	size_t info = der_open(out, DER_CONTEXT_CONS(1)), tag;

	der_put_generalized_time(out, s->revoked);
	if (s->reason != CRL_UNSPECIFIED) {
		tag = der_open(out, DER_CONTEXT_CONS(0));
		der_put_tlv(out, DER_ENUMERATED, span_of(&reason, 1));
		der_close(out, tag);
	}
	der_close(out, info);
}

static void put_single(struct buf *out, const struct ocsp_single *s)
{
	size_t seq = der_open(out, DER_SEQUENCE), next;

	buf_put(out, s->cert_id);
	if (s->state == OCSP_REVOKED)
		put_revoked(out, s);
	else
		der_put_tlv(out, DER_CONTEXT(s->state == OCSP_GOOD ? 0 : 2), SPAN_NONE);
	der_put_generalized_time(out, s->this_update);
	if (s->next_update) {
		next = der_open(out, DER_CONTEXT_CONS(0));
		der_put_generalized_time(out, s->next_update);
		der_close(out, next);
	}
	der_close(out, seq);
}

static void put_responder(struct buf *out, const struct ocsp_data *d)
{
	size_t tag = der_open(out, DER_CONTEXT_CONS(d->by_name ? 1 : 2));

	if (d->by_name)
		buf_put(out, d->responder);
	else
		der_put_octets(out, d->responder);
	der_close(out, tag);
}

static void put_exts(struct buf *out, const struct ocsp_data *d)
{
	size_t tag, list;
	BUF nonce = BUF_INIT;

	if (!d->nonce.len && !d->extended_revoke)
		return;
	tag = der_open(out, DER_CONTEXT_CONS(1));
	list = der_open(out, DER_SEQUENCE);
	if (d->nonce.len) {
		der_put_octets(&nonce, d->nonce);
		out->failed |= nonce.failed;
		ext_put(out, OID_OCSP_NONCE, false, buf_span(&nonce));
	}
	if (d->extended_revoke)
		ext_put(out, OID_OCSP_EXTENDED_REVOKE, false, SPAN_LIT("\x05\x00"));
	der_close(out, list);
	der_close(out, tag);
}

enum result ocsp_response_put_data(const struct ocsp_data *data, struct buf *out, struct err *err)
{
	size_t seq = der_open(out, DER_SEQUENCE), list, i;

	put_responder(out, data);
	der_put_generalized_time(out, data->produced_at);
	list = der_open(out, DER_SEQUENCE);
	for (i = 0; i < data->n; i++)
		put_single(out, &data->singles[i]);
	der_close(out, list);
	put_exts(out, data);
	der_close(out, seq);
	return buf_check(out, err);
}

static void put_status(struct buf *out, enum ocsp_status status)
{
	uint8_t octet = (uint8_t)status;

	der_put_tlv(out, DER_ENUMERATED, span_of(&octet, 1));
}

static void put_certs(struct buf *out, struct span cert)
{
	size_t tag;

	if (!cert.len)
		return;
	tag = der_open(out, DER_CONTEXT_CONS(0));
	der_put_tlv(out, DER_SEQUENCE, cert);
	der_close(out, tag);
}

enum result ocsp_response_assemble(struct span data, struct sig_alg alg, struct span signature,
				   struct span cert, struct buf *out, struct err *err)
{
	size_t seq = der_open(out, DER_SEQUENCE), tag, bytes, octets, basic;

	put_status(out, OCSP_SUCCESSFUL);
	tag = der_open(out, DER_CONTEXT_CONS(0));
	bytes = der_open(out, DER_SEQUENCE);
	der_put_oid(out, OID_OCSP_BASIC);
	octets = der_open(out, DER_OCTET_STRING);
	basic = der_open(out, DER_SEQUENCE);
	buf_put(out, data);
	alg_put_sig(out, alg);
	der_put_bits(out, signature);
	put_certs(out, cert);
	der_close(out, basic);
	der_close(out, octets);
	der_close(out, bytes);
	der_close(out, tag);
	der_close(out, seq);
	return buf_check(out, err);
}

enum result ocsp_response_put_error(enum ocsp_status status, struct buf *out, struct err *err)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	put_status(out, status);
	der_close(out, seq);
	return buf_check(out, err);
}
