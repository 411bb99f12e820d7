/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/cert.h"

#include "base/file.h"
#include "der/oid.h"
#include "pki/name.h"
#include "pki/pem.h"

#define SERIAL_MAX 64
#define FILE_MAX (1u << 20)

/* Version ::= INTEGER { v1(0), v2(1), v3(2) }, DEFAULT v1 */
static enum result read_version(struct der_reader *tbs, int *out, struct err *err)
{
	struct der_reader r;
	uint64_t v = 0;

	if (der_peek(tbs, DER_CONTEXT_CONS(0))) {
		TRY(der_enter(tbs, DER_CONTEXT_CONS(0), "TBSCertificate.version", &r, err));
		TRY(der_read_uint(&r, "TBSCertificate.version", 2, &v, err));
		TRY(der_end(&r, "TBSCertificate.version", err));
	}
	*out = (int)v + 1;
	return OK;
}

/* Devices give themselves serials that are negative, zero or not minimal: no harm in those. */
static enum result read_serial(struct der_reader *tbs, struct span *out, struct err *err)
{
	struct der_tlv tlv;

	TRY(der_read(tbs, DER_INTEGER, "serialNumber", &tlv, err));
	if (tlv.content.len == 0 || tlv.content.len > SERIAL_MAX)
		return err_set(err, ERR_SYNTAX, "serialNumber of %zu octets", tlv.content.len);
	*out = tlv.content;
	return OK;
}

static enum result read_sequence(struct der_reader *r, const char *what, struct span *whole,
				 struct err *err)
{
	struct der_tlv tlv;

	TRY(der_read(r, DER_SEQUENCE, what, &tlv, err));
	*whole = tlv.whole;
	return OK;
}

static enum result read_validity(struct der_reader *tbs, struct cert *out, struct err *err)
{
	struct der_reader r;

	TRY(der_enter(tbs, DER_SEQUENCE, "validity", &r, err));
	out->validity = r.rest;
	TRY(der_read_time(&r, "notBefore", &out->not_before, err));
	TRY(der_read_time(&r, "notAfter", &out->not_after, err));
	return der_end(&r, "validity", err);
}

static enum result skip_unique_id(struct der_reader *tbs, uint8_t number, struct cert *out,
				  struct err *err)
{
	struct der_tlv tlv;

	if (!der_peek(tbs, DER_CONTEXT(number)))
		return OK;
	out->has_unique_ids = true;
	return der_read_any(tbs, "UniqueIdentifier", &tlv, err);
}

static enum result read_exts(struct der_reader *tbs, struct span *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;

	if (!der_peek(tbs, DER_CONTEXT_CONS(3)))
		return OK;
	TRY(der_enter(tbs, DER_CONTEXT_CONS(3), "TBSCertificate.extensions", &r, err));
	TRY(der_read(&r, DER_SEQUENCE, "Extensions", &tlv, err));
	*out = tlv.content;
	return der_end(&r, "TBSCertificate.extensions", err);
}

enum result cert_parse_tbs(struct span tbs, struct cert *out, struct err *err)
{
	struct cert got = { .tbs = tbs };
	struct der_reader r;

	TRY(der_read_whole(tbs, DER_SEQUENCE, "TBSCertificate", &r, err));
	TRY(read_version(&r, &got.version, err));
	TRY(read_serial(&r, &got.serial, err));
	TRY(read_sequence(&r, "TBSCertificate.signature", &got.sig_id, err));
	TRY(read_sequence(&r, "issuer", &got.issuer, err));
	TRY(read_validity(&r, &got, err));
	TRY(read_sequence(&r, "subject", &got.subject, err));
	TRY(read_sequence(&r, "subjectPublicKeyInfo", &got.spki, err));
	TRY(skip_unique_id(&r, 1, &got, err));
	TRY(skip_unique_id(&r, 2, &got, err));
	TRY(read_exts(&r, &got.exts, err));
	TRY(der_end(&r, "TBSCertificate", err));
	if (alg_parse_sig(got.sig_id, "TBSCertificate.signature", &got.sig_alg, NULL) != OK)
		got.sig_alg = (struct sig_alg){ KEY_NONE, DIGEST_NONE };
	*out = got;
	return OK;
}

enum result cert_parse(struct span der, struct cert *out, struct err *err)
{
	struct span sig_id, signature;
	struct der_reader r;
	struct der_tlv tbs;
	struct sig_alg outer;
	struct cert got;

	TRY(der_read_whole(der, DER_SEQUENCE, "Certificate", &r, err));
	TRY(der_read(&r, DER_SEQUENCE, "TBSCertificate", &tbs, err));
	TRY(read_sequence(&r, "signatureAlgorithm", &sig_id, err));
	TRY(der_read_bits(&r, "signatureValue", &signature, err));
	TRY(der_end(&r, "Certificate", err));
	TRY(cert_parse_tbs(tbs.whole, &got, err));
	if (alg_parse_sig(sig_id, "signatureAlgorithm", &outer, NULL) == OK &&
	    (outer.kind != got.sig_alg.kind || outer.digest != got.sig_alg.digest))
		return err_set(err, ERR_SYNTAX,
			       "RFC 5280 4.1.1.2: signatureAlgorithm differs from the signature "
			       "field of the TBSCertificate");
	got.der = der;
	got.signature = signature;
	*out = got;
	return OK;
}

enum result cert_verify_with(const struct cert *cert, struct crypto *c, struct pubkey *issuer,
			     struct err *err)
{
	struct sig_alg alg;

	TRY(alg_parse_sig(cert->sig_id, "certificate.signature", &alg, err));
	return err_prefix(err, pubkey_verify(issuer, c, alg, cert->tbs, cert->signature, err),
			  "certificate");
}

enum result cert_verify_signature(const struct cert *cert, struct crypto *c, struct span spki,
				  struct err *err)
{
	CLEANUP(pubkey_freep) struct pubkey *key = NULL;

	TRY(pubkey_new(&key, c, spki, err));
	return cert_verify_with(cert, c, key, err);
}

bool cert_is_self_issued(const struct cert *cert)
{
	return name_equal(cert->issuer, cert->subject);
}

bool cert_is_ca(const struct cert *cert)
{
	struct ext ext;
	int path_len;
	bool ca;

	return ext_find(cert->exts, OID_BASIC_CONSTRAINTS, &ext, NULL) == OK &&
	       ext_read_basic_constraints(ext.value, &ca, &path_len, NULL) == OK && ca;
}

enum result cert_key_id(struct crypto *c, struct span spki, uint8_t out[20], struct err *err)
{
	struct pubkey_info info;
	uint8_t digest[DIGEST_MAX];

	TRY(pubkey_inspect(spki, &info, err));
	TRY(crypto_digest(c, DIGEST_SHA1, &info.key, 1, digest, err));
	memcpy(out, digest, 20);
	return OK;
}

struct span cert_ski(const struct cert *cert)
{
	struct der_reader r;
	struct der_tlv tlv;
	struct ext ext;

	if (ext_find(cert->exts, OID_SUBJECT_KEY_ID, &ext, NULL) != OK)
		return SPAN_NONE;
	der_reader_init(&r, ext.value);
	if (der_read(&r, DER_OCTET_STRING, "subjectKeyIdentifier", &tlv, NULL) != OK)
		return SPAN_NONE;
	return tlv.content;
}

enum result cert_fingerprint(struct crypto *c, struct span der, enum digest_alg alg,
			     uint8_t out[DIGEST_MAX], struct err *err)
{
	return crypto_digest(c, alg, &der, 1, out, err);
}

enum result cert_load(const char *path, struct buf *out, struct err *err)
{
	BUF file = BUF_INIT;
	BUF der = BUF_INIT;
	struct span text, bytes;
	struct cert cert;
	enum result rc;

	TRY(file_read(path, FILE_MAX, &file, err));
	text = buf_span(&file);
	rc = pem_next(&text, "CERTIFICATE", &der, err);
	if (rc != OK && rc != ERR_NOT_FOUND)
		return err_prefix(err, rc, "%s", path);
	bytes = rc == OK ? buf_span(&der) : buf_span(&file);
	TRY(err_prefix(err, cert_parse(bytes, &cert, err), "%s", path));
	buf_put(out, bytes);
	return buf_check(out, err);
}
