/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/csr.h"

#include "der/oid.h"
#include "der/text.h"
#include "der/writer.h"
#include "pki/cert.h"
#include "pki/name.h"

/* The only value of an attribute that has just one. */
static enum result read_only(struct der_reader *values, const char *what, struct der_tlv *out,
			     struct err *err)
{
	TRY(der_read_any(values, what, out, err));
	return der_end(values, what, err);
}

static enum result read_challenge(struct der_reader *values, struct csr *csr, struct err *err)
{
	struct der_tlv value;

	if (csr->challenge_tag)
		return err_set(err, ERR_SYNTAX, "RFC 2985 5.4.1: two challengePassword attributes");
	TRY(read_only(values, "challengePassword", &value, err));
	if (value.content.len > CSR_CHALLENGE_MAX)
		return err_set(err, ERR_LIMIT, "challengePassword of %zu octets, at most %d",
			       value.content.len, CSR_CHALLENGE_MAX);
	csr->challenge_tag = value.tag;
	csr->challenge = value.content;
	return OK;
}

static enum result read_exts(struct der_reader *values, struct csr *csr, struct err *err)
{
	struct der_tlv value;

	TRY(der_read(values, DER_SEQUENCE, "extensionRequest", &value, err));
	TRY(der_end(values, "extensionRequest", err));
	if (csr->exts.p && !span_eq(csr->exts, value.content))
		return err_set(err, ERR_SYNTAX,
			       "RFC 2985 5.4.2: two extensionRequest attributes that differ");
	csr->exts = value.content;
	return ext_check(value.content, err);
}

/* Attributes that are read; all others are left to whom they concern. */
static const struct known_attr {
	const struct span *type;
	RESULT (*read)(struct der_reader *values, struct csr *csr, struct err *err);
} known_attrs[] = {
	{ &OID_CHALLENGE_PASSWORD, read_challenge },
	{ &OID_EXTENSION_REQUEST, read_exts },
	{ &OID_MS_EXTENSION_REQUEST, read_exts },
	{ &OID_SCEP_EXTENSION_REQ, read_exts },
};

/* Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY } */
static enum result read_attr(struct der_reader *attrs, struct csr *csr, struct err *err)
{
	struct der_reader r, values;
	struct span type;
	size_t i;

	TRY(der_enter(attrs, DER_SEQUENCE, "CSR attribute", &r, err));
	TRY(der_read_oid(&r, "CSR attribute.type", &type, err));
	TRY(der_enter(&r, DER_SET, "CSR attribute.values", &values, err));
	TRY(der_end(&r, "CSR attribute", err));
	for (i = 0; i < ARRAY_LEN(known_attrs); i++)
		if (span_eq(type, *known_attrs[i].type))
			return known_attrs[i].read(&values, csr, err);
	return OK;
}

static enum result read_info(struct span info, struct csr *csr, struct err *err)
{
	struct der_reader r, attrs;
	struct der_tlv tlv;
	uint64_t version;

	TRY(der_read_whole(info, DER_SEQUENCE, "CertificationRequestInfo", &r, err));
	/* v1(0) is all that there is, but some count from one; it changes nothing */
	TRY(der_read_uint(&r, "CertificationRequestInfo.version", 2, &version, err));
	TRY(der_read(&r, DER_SEQUENCE, "CSR subject", &tlv, err));
	csr->subject = tlv.whole;
	TRY(err_prefix(err, name_check(csr->subject, err), "CSR subject"));
	TRY(der_read(&r, DER_SEQUENCE, "CSR subjectPublicKeyInfo", &tlv, err));
	csr->spki = tlv.whole;
	/* attributes are not OPTIONAL in RFC 2986 4.1, yet left out by some */
	if (der_at_end(&r))
		return OK;
	TRY(der_enter(&r, DER_CONTEXT_CONS(0), "CSR attributes", &attrs, err));
	TRY(der_end(&r, "CertificationRequestInfo", err));
	csr->attrs = attrs.rest;
	while (!der_at_end(&attrs))
		TRY(read_attr(&attrs, csr, err));
	return OK;
}

enum result csr_parse(struct span der, struct csr *out, struct err *err)
{
	struct csr got = { .der = der };
	struct der_reader r;
	struct der_tlv tlv;

	TRY(der_read_whole(der, DER_SEQUENCE, "CertificationRequest", &r, err));
	TRY(der_read(&r, DER_SEQUENCE, "CertificationRequestInfo", &tlv, err));
	got.info = tlv.whole;
	TRY(der_read(&r, DER_SEQUENCE, "CSR signatureAlgorithm", &tlv, err));
	got.sig_id = tlv.whole;
	TRY(der_read_bits(&r, "CSR signature", &got.signature, err));
	TRY(der_end(&r, "CertificationRequest", err));
	TRY(read_info(got.info, &got, err));
	if (alg_parse_sig(got.sig_id, "CSR signatureAlgorithm", &got.sig_alg, NULL) != OK)
		got.sig_alg = (struct sig_alg){ KEY_NONE, DIGEST_NONE };
	*out = got;
	return OK;
}

enum result csr_verify_with(const struct csr *csr, struct crypto *c, struct pubkey *key,
			    struct err *err)
{
	struct sig_alg alg;
	enum result rc;

	if (!span_eq(pubkey_info(key)->spki, csr->spki))
		return err_set(err, ERR_BAD_POP, "the CSR asks for another key than this one");
	TRY(alg_parse_sig(csr->sig_id, "CSR signatureAlgorithm", &alg, err));
	rc = pubkey_verify(key, c, alg, csr->info, csr->signature, err);
	return err_prefix(err, rc == ERR_BAD_CHECK ? ERR_BAD_POP : rc,
			  "RFC 2986 4.2: CSR signature by the key asked for");
}

enum result csr_verify(const struct csr *csr, struct crypto *c, struct err *err)
{
	CLEANUP(pubkey_freep) struct pubkey *key = NULL;

	TRY(pubkey_new(&key, c, csr->spki, err));
	return csr_verify_with(csr, c, key, err);
}

enum result csr_challenge(const struct csr *csr, struct secret *out, struct err *err)
{
	BUF_SECRET utf8 = BUF_INIT;

	if (!csr->challenge_tag)
		return err_set(err, ERR_NOT_FOUND, "the CSR has no challengePassword");
	TRY(der_text_utf8(csr->challenge_tag, csr->challenge, "challengePassword", &utf8, err));
	return secret_set(out, buf_span(&utf8), err);
}

enum result csr_attr(const struct csr *csr, struct span type, const char *what, struct der_tlv *out,
		     struct err *err)
{
	struct der_reader attrs, attr, values;
	struct span found;

	der_reader_init(&attrs, csr->attrs);
	while (!der_at_end(&attrs)) {
		TRY(der_enter(&attrs, DER_SEQUENCE, "CSR attribute", &attr, err));
		TRY(der_read_oid(&attr, "CSR attribute.type", &found, err));
		if (!span_eq(found, type))
			continue;
		TRY(der_enter(&attr, DER_SET, what, &values, err));
		return read_only(&values, what, out, err);
	}
	return err_set(err, ERR_NOT_FOUND, "the CSR has no %s", what);
}

enum result csr_text_attr(const struct csr *csr, struct span type, const char *what,
			  struct secret *out, struct err *err)
{
	BUF_SECRET utf8 = BUF_INIT;
	struct der_tlv value;

	TRY(csr_attr(csr, type, what, &value, err));
	if (value.content.len > CSR_CHALLENGE_MAX)
		return err_set(err, ERR_LIMIT, "%s of %zu octets, at most %d", what,
			       value.content.len, CSR_CHALLENGE_MAX);
	TRY(der_text_utf8(value.tag, value.content, what, &utf8, err));
	return secret_set(out, buf_span(&utf8), err);
}

/* X.680 41.4 */
static bool is_printable(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		uint8_t c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c && strchr(" '()+,-./:=?", c))))
			return false;
	}
	return true;
}

static void put_attr(struct buf *out, struct span type, uint8_t tag, struct span content)
{
	size_t attr = der_open(out, DER_SEQUENCE), values;

	der_put_oid(out, type);
	values = der_open(out, DER_SET);
	der_put_tlv(out, tag, content);
	der_close(out, values);
	der_close(out, attr);
}

/* A PrintableString where it will do: older servers read no other. */
static void put_attrs(struct buf *out, const struct csr_template *t)
{
	uint8_t tag = is_printable(t->challenge) ? DER_PRINTABLE_STRING : DER_UTF8_STRING;
	size_t attrs = der_open(out, DER_CONTEXT_CONS(0));

	if (t->challenge.len)
		put_attr(out, OID_CHALLENGE_PASSWORD, tag, t->challenge);
	if (t->exts.len)
		put_attr(out, OID_EXTENSION_REQUEST, DER_SEQUENCE, t->exts);
	buf_put(out, t->attrs);
	der_close_set_of(out, attrs);
}

enum result csr_build(const struct csr_template *t, struct key *key, struct crypto *c,
		      struct buf *out, struct err *err)
{
	struct sig_alg alg = sig_alg_for(key->kind);
	BUF_SECRET info = BUF_INIT;
	BUF signature = BUF_INIT;
	size_t seq;

	seq = der_open(&info, DER_SEQUENCE);
	der_put_uint(&info, 0);
	buf_put(&info, t->subject);
	buf_put(&info, key_spki(key));
	put_attrs(&info, t);
	der_close(&info, seq);
	TRY(buf_check(&info, err));
	TRY(key_sign(key, c, KEY_FOR_CSR, alg, buf_span(&info), &signature, err));
	return cert_assemble(buf_span(&info), alg, buf_span(&signature), out, err);
}
