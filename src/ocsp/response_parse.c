/* SPDX-License-Identifier: Apache-2.0 */
#include "der/oid.h"
#include "ocsp/response.h"

static enum result read_generalized(struct der_reader *r, const char *what, int64_t *out,
				    struct err *err)
{
	if (!der_peek(r, DER_GENERALIZED_TIME))
		return err_set(err, ERR_SYNTAX, "%s: no GeneralizedTime", what);
	return der_read_time(r, what, out, err);
}

static enum result read_enumerated(struct der_reader *r, const char *what, unsigned *out,
				   struct err *err)
{
	struct der_tlv tlv;

	TRY(der_read(r, DER_ENUMERATED, what, &tlv, err));
	if (tlv.content.len != 1)
		return err_set(err, ERR_SYNTAX, "%s of %zu octets", what, tlv.content.len);
	*out = tlv.content.p[0];
	return OK;
}

static enum result read_revoked(struct der_tlv info, struct ocsp_single *s, struct err *err)
{
	struct der_reader r, tag;
	unsigned reason = 0;

	der_reader_init(&r, info.content);
	TRY(read_generalized(&r, "revocationTime", &s->revoked, err));
	if (!der_at_end(&r)) {
		TRY(der_enter(&r, DER_CONTEXT_CONS(0), "revocationReason", &tag, err));
		TRY(read_enumerated(&tag, "revocationReason", &reason, err));
		TRY(der_end(&tag, "revocationReason", err));
		if (!crl_reason_name(reason))
			return err_set(err, ERR_SYNTAX, "revocationReason %u", reason);
	}
	s->reason = (enum crl_reason)reason;
	return der_end(&r, "RevokedInfo", err);
}

static enum result read_state(struct der_reader *r, struct ocsp_single *s, struct err *err)
{
	struct der_tlv tlv;

	TRY(der_read_any(r, "certStatus", &tlv, err));
	if (tlv.tag == DER_CONTEXT_CONS(1)) {
		s->state = OCSP_REVOKED;
		return read_revoked(tlv, s, err);
	}
	if ((tlv.tag != DER_CONTEXT(0) && tlv.tag != DER_CONTEXT(2)) || tlv.content.len)
		return err_set(err, ERR_SYNTAX, "certStatus with tag 0x%02x", tlv.tag);
	s->state = tlv.tag == DER_CONTEXT(0) ? OCSP_GOOD : OCSP_UNKNOWN;
	return OK;
}

static enum result read_single(struct der_reader *list, struct ocsp_single *s, struct err *err)
{
	struct der_reader r, next;
	struct der_tlv tlv;

	TRY(der_enter(list, DER_SEQUENCE, "SingleResponse", &r, err));
	TRY(der_read(&r, DER_SEQUENCE, "CertID", &tlv, err));
	s->cert_id = tlv.whole;
	TRY(read_state(&r, s, err));
	TRY(read_generalized(&r, "thisUpdate", &s->this_update, err));
	if (der_peek(&r, DER_CONTEXT_CONS(0))) {
		TRY(der_enter(&r, DER_CONTEXT_CONS(0), "nextUpdate", &next, err));
		TRY(read_generalized(&next, "nextUpdate", &s->next_update, err));
		TRY(der_end(&next, "nextUpdate", err));
	}
	if (der_peek(&r, DER_CONTEXT_CONS(1)))
		TRY(der_read_any(&r, "singleExtensions", &tlv, err));
	return der_end(&r, "SingleResponse", err);
}

static enum result read_responder(struct der_reader *r, struct ocsp_data *d, struct err *err)
{
	struct der_reader tag;
	struct der_tlv tlv;

	d->by_name = der_peek(r, DER_CONTEXT_CONS(1));
	TRY(der_enter(r, DER_CONTEXT_CONS(d->by_name ? 1 : 2), "responderID", &tag, err));
	TRY(der_read(&tag, d->by_name ? DER_SEQUENCE : DER_OCTET_STRING, "responderID", &tlv, err));
	d->responder = d->by_name ? tlv.whole : tlv.content;
	return der_end(&tag, "responderID", err);
}

static enum result read_exts(struct der_reader *r, struct ocsp_data *d, struct err *err)
{
	struct der_reader tag, value;
	struct der_tlv tlv;
	struct ext ext;

	if (!der_peek(r, DER_CONTEXT_CONS(1)))
		return OK;
	TRY(der_enter(r, DER_CONTEXT_CONS(1), "responseExtensions", &tag, err));
	TRY(der_read(&tag, DER_SEQUENCE, "Extensions", &tlv, err));
	TRY(der_end(&tag, "responseExtensions", err));
	TRY(ext_check(tlv.content, err));
	d->extended_revoke = ext_find(tlv.content, OID_OCSP_EXTENDED_REVOKE, &ext, NULL) == OK;
	if (ext_find(tlv.content, OID_OCSP_NONCE, &ext, NULL) != OK)
		return OK;
	der_reader_init(&value, ext.value);
	TRY(der_read(&value, DER_OCTET_STRING, "nonce", &tlv, err));
	d->nonce = tlv.content;
	return der_end(&value, "nonce", err);
}

static enum result read_data(struct span tbs, struct ocsp_data *d, struct err *err)
{
	struct der_reader r, list;

	TRY(der_read_whole(tbs, DER_SEQUENCE, "ResponseData", &r, err));
	TRY(read_responder(&r, d, err));
	TRY(read_generalized(&r, "producedAt", &d->produced_at, err));
	TRY(der_enter(&r, DER_SEQUENCE, "responses", &list, err));
	while (!der_at_end(&list)) {
		if (d->n == OCSP_CERTS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d SingleResponses",
				       OCSP_CERTS_MAX);
		TRY(read_single(&list, &d->singles[d->n++], err));
	}
	TRY(read_exts(&r, d, err));
	return der_end(&r, "ResponseData", err);
}

static enum result read_certs(struct der_reader *basic, struct span *first, struct err *err)
{
	struct der_reader tag, list;
	struct der_tlv tlv;

	if (der_at_end(basic))
		return OK;
	TRY(der_enter(basic, DER_CONTEXT_CONS(0), "certs", &tag, err));
	TRY(der_enter(&tag, DER_SEQUENCE, "certs", &list, err));
	TRY(der_end(&tag, "certs", err));
	if (der_at_end(&list))
		return OK;
	TRY(der_read(&list, DER_SEQUENCE, "Certificate", &tlv, err));
	*first = tlv.whole;
	return OK;
}

static enum result read_basic(struct span octets, struct ocsp_response *out, struct err *err)
{
	struct der_reader basic;
	struct der_tlv tlv;

	TRY(der_read_whole(octets, DER_SEQUENCE, "BasicOCSPResponse", &basic, err));
	TRY(der_read(&basic, DER_SEQUENCE, "ResponseData", &tlv, err));
	out->tbs = tlv.whole;
	TRY(read_data(tlv.whole, &out->data, err));
	TRY(alg_read_sig(&basic, "signatureAlgorithm", &out->sig_alg, err));
	TRY(der_read_bits(&basic, "signature", &out->signature, err));
	TRY(read_certs(&basic, &out->cert, err));
	return der_end(&basic, "BasicOCSPResponse", err);
}

static enum result read_bytes(struct der_reader *r, struct ocsp_response *out, struct err *err)
{
	struct der_reader tag, bytes;
	struct der_tlv tlv;
	struct span type;

	TRY(der_enter(r, DER_CONTEXT_CONS(0), "responseBytes", &tag, err));
	TRY(der_enter(&tag, DER_SEQUENCE, "ResponseBytes", &bytes, err));
	TRY(der_end(&tag, "responseBytes", err));
	TRY(der_read_oid(&bytes, "responseType", &type, err));
	if (!span_eq(type, OID_OCSP_BASIC))
		return err_set(err, ERR_BAD_REQUEST, "RFC 6960 4.2.1: responseType is not basic");
	TRY(der_read(&bytes, DER_OCTET_STRING, "response", &tlv, err));
	TRY(der_end(&bytes, "ResponseBytes", err));
	return read_basic(tlv.content, out, err);
}

enum result ocsp_response_parse(struct span der, struct ocsp_response *out, struct err *err)
{
	struct ocsp_response got = { .status = OCSP_SUCCESSFUL };
	struct der_reader r;
	unsigned status = 0;

	TRY(der_read_whole(der, DER_SEQUENCE, "OCSPResponse", &r, err));
	TRY(read_enumerated(&r, "responseStatus", &status, err));
	if (status > OCSP_UNAUTHORIZED || status == 4)
		return err_set(err, ERR_SYNTAX, "responseStatus %u", status);
	got.status = (enum ocsp_status)status;
	if (status == OCSP_SUCCESSFUL)
		TRY(read_bytes(&r, &got, err));
	TRY(der_end(&r, "OCSPResponse", err));
	*out = got;
	return OK;
}
