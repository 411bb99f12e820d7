/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/request.h"

#include "der/oid.h"
#include "der/writer.h"
#include "pki/ext.h"

#define SERIAL_MAX 64

static enum result read_octets(struct der_reader *r, const char *what, struct span *out,
			       struct err *err)
{
	struct der_tlv tlv;

	TRY(der_read(r, DER_OCTET_STRING, what, &tlv, err));
	*out = tlv.content;
	return OK;
}

/* Hashes that are not known, or have not their length, match no issuer; that is no error. */
static enum digest_alg read_hash(struct span id)
{
	enum digest_alg alg = DIGEST_NONE;

	return alg_parse_digest(id, "CertID.hashAlgorithm", &alg, NULL) == OK ? alg : DIGEST_NONE;
}

enum result ocsp_request_parse_cert_id(struct span der, struct ocsp_cert_id *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;

	TRY(der_read_whole(der, DER_SEQUENCE, "CertID", &r, err));
	TRY(der_read(&r, DER_SEQUENCE, "CertID.hashAlgorithm", &tlv, err));
	out->whole = der;
	out->hash = read_hash(tlv.whole);
	TRY(read_octets(&r, "issuerNameHash", &out->name_hash, err));
	TRY(read_octets(&r, "issuerKeyHash", &out->key_hash, err));
	TRY(der_read(&r, DER_INTEGER, "CertID.serialNumber", &tlv, err));
	if (tlv.content.len == 0 || tlv.content.len > SERIAL_MAX)
		return err_set(err, ERR_SYNTAX, "CertID.serialNumber of %zu octets",
			       tlv.content.len);
	out->serial = tlv.content;
	return der_end(&r, "CertID", err);
}

/* Extensions EXPLICIT: none of them may be critical but those that read() knows. */
static enum result read_exts(struct der_reader *r, uint8_t tag, struct span *nonce, struct err *err)
{
	struct der_reader outer, value, list;
	struct der_tlv tlv;
	struct ext ext;

	if (!der_peek(r, tag))
		return OK;
	TRY(der_enter(r, tag, "requestExtensions", &outer, err));
	TRY(der_read(&outer, DER_SEQUENCE, "Extensions", &tlv, err));
	TRY(der_end(&outer, "requestExtensions", err));
	TRY(ext_check(tlv.content, err));
	der_reader_init(&list, tlv.content);
	while (ext_next(&list, &ext)) {
		if (nonce && span_eq(ext.oid, OID_OCSP_NONCE)) {
			der_reader_init(&value, ext.value);
			TRY(read_octets(&value, "nonce", nonce, err));
			TRY(der_end(&value, "nonce", err));
			if (nonce->len == 0 || nonce->len > OCSP_NONCE_MAX)
				return err_set(err, ERR_LIMIT,
					       "RFC 8954 2.1: nonce of %zu octets, not 1..%d",
					       nonce->len, OCSP_NONCE_MAX);
		} else if (ext.critical) {
			return err_set(err, ERR_BAD_REQUEST,
				       "RFC 6960 4.1.2: a critical extension is unknown");
		}
	}
	return OK;
}

static enum result read_list(struct der_reader *tbs, struct ocsp_request *out, struct err *err)
{
	struct der_reader list, request;
	struct der_tlv id;

	TRY(der_enter(tbs, DER_SEQUENCE, "requestList", &list, err));
	while (!der_at_end(&list)) {
		if (out->n == OCSP_CERTS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d certificates asked for",
				       OCSP_CERTS_MAX);
		TRY(der_enter(&list, DER_SEQUENCE, "Request", &request, err));
		TRY(der_read(&request, DER_SEQUENCE, "CertID", &id, err));
		TRY(ocsp_request_parse_cert_id(id.whole, &out->certs[out->n], err));
		TRY(read_exts(&request, DER_CONTEXT_CONS(0), NULL, err));
		TRY(der_end(&request, "Request", err));
		out->n++;
	}
	return out->n ? OK : err_set(err, ERR_SYNTAX, "requestList is empty");
}

static enum result read_version(struct der_reader *tbs, struct err *err)
{
	struct der_reader r;
	uint64_t v;

	if (!der_peek(tbs, DER_CONTEXT_CONS(0)))
		return OK;
	TRY(der_enter(tbs, DER_CONTEXT_CONS(0), "TBSRequest.version", &r, err));
	TRY(der_read_uint(&r, "TBSRequest.version", 0, &v, err));
	return der_end(&r, "TBSRequest.version", err);
}

static enum result read_tbs(struct der_reader *outer, struct ocsp_request *out, struct err *err)
{
	struct der_reader tbs;
	struct der_tlv tlv;

	TRY(der_enter(outer, DER_SEQUENCE, "TBSRequest", &tbs, err));
	TRY(read_version(&tbs, err));
	if (der_peek(&tbs, DER_CONTEXT_CONS(1)))
		TRY(der_read_any(&tbs, "requestorName", &tlv, err));
	TRY(read_list(&tbs, out, err));
	TRY(read_exts(&tbs, DER_CONTEXT_CONS(2), &out->nonce, err));
	return der_end(&tbs, "TBSRequest", err);
}

enum result ocsp_request_parse(struct span der, struct ocsp_request *out, struct err *err)
{
	struct ocsp_request got = { .n = 0 };
	struct der_reader r;
	struct der_tlv tlv;

	TRY(der_read_whole(der, DER_SEQUENCE, "OCSPRequest", &r, err));
	TRY(read_tbs(&r, &got, err));
	if (der_peek(&r, DER_CONTEXT_CONS(0)))
		TRY(der_read_any(&r, "optionalSignature", &tlv, err));
	TRY(der_end(&r, "OCSPRequest", err));
	*out = got;
	return OK;
}

/* ---- building ---- */

void ocsp_request_put_cert_id(struct buf *out, const struct ocsp_cert_id *id)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	alg_put_digest(out, id->hash);
	der_put_octets(out, id->name_hash);
	der_put_octets(out, id->key_hash);
	der_put_tlv(out, DER_INTEGER, id->serial);
	der_close(out, seq);
}

static void put_nonce(struct buf *out, struct span nonce)
{
	size_t tag = der_open(out, DER_CONTEXT_CONS(2)), list = der_open(out, DER_SEQUENCE);
	BUF value = BUF_INIT;

	der_put_octets(&value, nonce);
	out->failed |= value.failed;
	ext_put(out, OID_OCSP_NONCE, false, buf_span(&value));
	der_close(out, list);
	der_close(out, tag);
}

enum result ocsp_request_build(const struct ocsp_request *req, struct buf *out, struct err *err)
{
	size_t outer = der_open(out, DER_SEQUENCE), tbs = der_open(out, DER_SEQUENCE);
	size_t list = der_open(out, DER_SEQUENCE), request, i;

	for (i = 0; i < req->n; i++) {
		request = der_open(out, DER_SEQUENCE);
		ocsp_request_put_cert_id(out, &req->certs[i]);
		der_close(out, request);
	}
	der_close(out, list);
	if (req->nonce.len)
		put_nonce(out, req->nonce);
	der_close(out, tbs);
	der_close(out, outer);
	return buf_check(out, err);
}
