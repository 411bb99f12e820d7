/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/cms_signed.h"

#include "der/oid.h"
#include "der/writer.h"
#include "pki/cms.h"
#include "pki/name.h"

#define VERSION_MAX 5

/* EncapsulatedContentInfo ::= SEQUENCE { eContentType, [0] EXPLICIT OCTET STRING OPTIONAL } */
static enum result read_content(struct der_reader *sd, struct cms_signed *out, struct err *err)
{
	struct der_reader r, explicit;
	struct der_tlv octets;

	TRY(der_enter(sd, DER_SEQUENCE, "encapContentInfo", &r, err));
	TRY(der_read_oid(&r, "eContentType", &out->content_type, err));
	if (der_at_end(&r))
		return OK;
	TRY(der_enter(&r, DER_CONTEXT_CONS(0), "eContent", &explicit, err));
	TRY(der_end(&r, "encapContentInfo", err));
	TRY(der_read(&explicit, DER_OCTET_STRING, "eContent", &octets, err));
	TRY(der_end(&explicit, "eContent", err));
	out->has_content = true;
	out->content = octets.content;
	return OK;
}

struct list {
	const char *what;
	struct span *items;
	size_t *n;
	size_t max;
};

/* The SEQUENCEs of [number], which are certificates or CRLs; other kinds are passed over. */
static enum result read_list(struct der_reader *sd, uint8_t number, const struct list *list,
			     struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;

	if (!der_peek(sd, DER_CONTEXT_CONS(number)))
		return OK;
	TRY(der_enter(sd, DER_CONTEXT_CONS(number), list->what, &r, err));
	while (!der_at_end(&r)) {
		TRY(der_read_any(&r, list->what, &tlv, err));
		if (tlv.tag != DER_SEQUENCE)
			continue;
		if (*list->n == list->max)
			return err_set(err, ERR_LIMIT, "SignedData: more than %zu %s", list->max,
				       list->what);
		list->items[(*list->n)++] = tlv.whole;
	}
	return OK;
}

/* Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF ANY } */
static enum result read_attr(struct der_reader *attrs, struct cms_attr *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv values;

	TRY(der_enter(attrs, DER_SEQUENCE, "signed attribute", &r, err));
	TRY(der_read_oid(&r, "attrType", &out->type, err));
	TRY(der_read(&r, DER_SET, "attrValues", &values, err));
	out->values = values.content;
	return der_end(&r, "signed attribute", err);
}

static enum result read_attrs(struct der_reader *si, struct cms_signed *out, struct err *err)
{
	struct der_reader attrs;
	struct der_tlv tlv;

	if (!der_peek(si, DER_CONTEXT_CONS(0)))
		return OK;
	TRY(der_read(si, DER_CONTEXT_CONS(0), "signedAttrs", &tlv, err));
	if (tlv.content.len == 0)
		return err_set(err, ERR_SYNTAX, "RFC 5652 5.3: signedAttrs is empty");
	out->signed_attrs = tlv.whole;
	der_reader_init(&attrs, tlv.content);
	for (; !der_at_end(&attrs); out->n_attrs++) {
		if (out->n_attrs == CMS_ATTRS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d signed attributes",
				       CMS_ATTRS_MAX);
		TRY(read_attr(&attrs, &out->attrs[out->n_attrs], err));
	}
	return OK;
}

static void learn_algs(struct cms_signed *s)
{
	if (alg_parse_digest(s->digest_id, "digestAlgorithm", &s->digest, NULL) != OK)
		s->digest = DIGEST_NONE;
	if (alg_parse_sig(s->sig_id, "signatureAlgorithm", &s->sig_alg, NULL) != OK)
		s->sig_alg = (struct sig_alg){ KEY_NONE, DIGEST_NONE };
	else if (s->sig_alg.digest == DIGEST_NONE && !key_kind_is_pure(s->sig_alg.kind))
		s->sig_alg.digest = s->digest;
}

static enum result read_signer(struct der_reader *set, struct cms_signed *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;
	uint64_t version;

	TRY(der_enter(set, DER_SEQUENCE, "SignerInfo", &r, err));
	TRY(der_read_uint(&r, "SignerInfo.version", VERSION_MAX, &version, err));
	TRY(der_read_any(&r, "SignerInfo.sid", &tlv, err));
	out->sid = tlv.whole;
	TRY(der_read(&r, DER_SEQUENCE, "digestAlgorithm", &tlv, err));
	out->digest_id = tlv.whole;
	TRY(read_attrs(&r, out, err));
	TRY(der_read(&r, DER_SEQUENCE, "signatureAlgorithm", &tlv, err));
	out->sig_id = tlv.whole;
	TRY(der_read(&r, DER_OCTET_STRING, "SignerInfo.signature", &tlv, err));
	out->signature = tlv.content;
	if (der_peek(&r, DER_CONTEXT_CONS(1)))
		TRY(der_read_any(&r, "unsignedAttrs", &tlv, err));
	TRY(der_end(&r, "SignerInfo", err));
	out->has_signer = true;
	learn_algs(out);
	return OK;
}

enum result cms_signed_parse(struct span der, struct cms_signed *out, struct err *err)
{
	struct cms_signed got = { .has_content = false };
	struct list certs = { "certificates", got.certs, &got.n_certs, ARRAY_LEN(got.certs) };
	struct list crls = { "CRLs", got.crls, &got.n_crls, ARRAY_LEN(got.crls) };
	struct der_reader r, signers;
	struct der_tlv tlv;
	uint64_t version;

	TRY(cms_read_content_info(der, OID_SIGNED_DATA, "SignedData", &r, err));
	TRY(der_read_uint(&r, "SignedData.version", VERSION_MAX, &version, err));
	TRY(der_read(&r, DER_SET, "digestAlgorithms", &tlv, err));
	TRY(read_content(&r, &got, err));
	TRY(read_list(&r, 0, &certs, err));
	TRY(read_list(&r, 1, &crls, err));
	TRY(der_enter(&r, DER_SET, "signerInfos", &signers, err));
	TRY(der_end(&r, "SignedData", err));
	if (!der_at_end(&signers))
		TRY(read_signer(&signers, &got, err));
	if (!der_at_end(&signers))
		return err_set(
		    err, ERR_SYNTAX,
		    "SignedData: more than one SignerInfo; whose word it is nobody knows");
	*out = got;
	return OK;
}

static const struct cms_attr *find(const struct cms_signed *s, struct span type, size_t from)
{
	size_t i;

	for (i = from; i < s->n_attrs; i++)
		if (span_eq(s->attrs[i].type, type))
			return &s->attrs[i];
	return NULL;
}

enum result cms_attr_find(const struct cms_signed *s, struct span type, const char *what,
			  struct der_tlv *out, struct err *err)
{
	const struct cms_attr *attr = find(s, type, 0);
	struct der_reader values;
	struct der_tlv value;

	if (!attr)
		return err_set(err, ERR_NOT_FOUND, "signed attribute %s: missing", what);
	if (find(s, type, (size_t)(attr - s->attrs) + 1))
		return err_set(err, ERR_SYNTAX,
			       "RFC 5652 11: signed attribute %s stands there twice", what);
	der_reader_init(&values, attr->values);
	TRY(der_read_any(&values, what, &value, err));
	TRY(der_end(&values, what, err));
	*out = value;
	return OK;
}

static struct span magnitude(struct span serial)
{
	while (serial.len > 1 && serial.p[0] == 0)
		serial = span_sub(serial, 1, SIZE_MAX);
	return serial;
}

enum result cms_signed_sid(const struct cms_signed *s, struct cms_sid *out, struct err *err)
{
	struct cms_sid got = { .ski = SPAN_NONE };
	struct der_reader r;
	struct der_tlv ski;

	der_reader_init(&r, s->sid);
	if (der_peek(&r, DER_CONTEXT(0))) {
		TRY(der_read_any(&r, "SignerInfo.sid", &ski, err));
		got.ski = ski.content;
	} else {
		TRY(cms_read_issuer_serial(&r, &got.issuer, &got.serial, err));
	}
	*out = got;
	return OK;
}

static bool sid_names(const struct cms_sid *sid, const struct cert *cert)
{
	if (sid->ski.len)
		return span_eq(sid->ski, cert_ski(cert));
	return sid->issuer.len && span_eq(magnitude(sid->serial), magnitude(cert->serial)) &&
	       name_equal_unordered(sid->issuer, cert->issuer);
}

enum result cms_signed_signer(const struct cms_signed *s, struct cert *out, struct err *err)
{
	struct cms_sid sid = { .ski = SPAN_NONE }; /* unreadable: it names none */
	struct cert cert;
	size_t i;

	if (!s->has_signer)
		return err_set(err, ERR_NOT_FOUND, "SignedData has no signer");
	if (cms_signed_sid(s, &sid, NULL) != OK)
		sid = (struct cms_sid){ .ski = SPAN_NONE };
	for (i = 0; i < s->n_certs; i++)
		if (cert_parse(s->certs[i], &cert, NULL) == OK && sid_names(&sid, &cert)) {
			*out = cert;
			return OK;
		}
	if (s->n_certs == 1)
		return err_prefix(err, cert_parse(s->certs[0], out, err), "signer's certificate");
	return err_set(err, ERR_NOT_FOUND,
		       "RFC 5652 5.3: none of the %zu certificates is the one that the sid names",
		       s->n_certs);
}

/* The algorithms once more, for the error that names them, and whether they go together. */
static enum result check_algs(const struct cms_signed *s, struct err *err)
{
	enum digest_alg digest;
	struct sig_alg sig;

	TRY(alg_parse_digest(s->digest_id, "digestAlgorithm", &digest, err));
	TRY(alg_parse_sig(s->sig_id, "signatureAlgorithm", &sig, err));
	if (s->sig_alg.digest != s->digest && !key_kind_is_pure(s->sig_alg.kind))
		return err_set(err, ERR_BAD_ALG,
			       "RFC 5652 5.3: digestAlgorithm is %s, signatureAlgorithm has %s",
			       digest_name(s->digest), digest_name(s->sig_alg.digest));
	return OK;
}

/* Some leave contentType out; where it stands it must be right (RFC 5652 11.1). */
static enum result check_content_type(const struct cms_signed *s, struct err *err)
{
	struct der_tlv tlv;
	enum result rc = cms_attr_find(s, OID_CONTENT_TYPE, "contentType", &tlv, err);

	if (rc == ERR_NOT_FOUND)
		return OK;
	if (rc != OK)
		return rc;
	if (tlv.tag != DER_OID || !span_eq(tlv.content, s->content_type))
		return err_set(
		    err, ERR_BAD_CHECK,
		    "RFC 5652 11.1: the contentType attribute differs from eContentType");
	return OK;
}

static enum result check_digest(const struct cms_signed *s, struct crypto *c, struct err *err)
{
	uint8_t digest[DIGEST_MAX];
	struct der_tlv tlv;
	enum result rc = cms_attr_find(s, OID_MESSAGE_DIGEST, "messageDigest", &tlv, err);

	if (rc == ERR_NOT_FOUND)
		return err_set(err, ERR_BAD_CHECK, "RFC 5652 11.2: messageDigest is missing");
	TRY(rc);
	TRY(crypto_digest(c, s->digest, &s->content, 1, digest, err));
	if (tlv.tag != DER_OCTET_STRING ||
	    !span_eq(tlv.content, span_of(digest, digest_size(s->digest))))
		return err_set(err, ERR_BAD_CHECK,
			       "RFC 5652 11.2: messageDigest is not the %s digest of the content",
			       digest_name(s->digest));
	return OK;
}

/* Over what the signer should have signed, where that is not what it sent. */
static enum result verify_sorted(const struct cms_signed *s, struct crypto *c,
				 struct pubkey *signer, struct err *err)
{
	struct span received = span_sub(s->signed_attrs, 1, SIZE_MAX), octets;
	BUF sorted = BUF_INIT;
	struct der_reader r;
	struct der_tlv tlv;
	size_t set;

	der_reader_init(&r, s->signed_attrs);
	TRY(der_read_any(&r, "signedAttrs", &tlv, err));
	set = der_open(&sorted, DER_SET);
	buf_put(&sorted, tlv.content);
	der_close_set_of(&sorted, set);
	TRY(buf_check(&sorted, err));
	octets = buf_span(&sorted);
	if (span_eq(span_sub(octets, 1, SIZE_MAX), received))
		return ERR_BAD_CHECK;
	return pubkey_verify(signer, c, s->sig_alg, octets, s->signature, err);
}

/* RFC 5652 5.4: signed is the SET OF, not the [0] that it travels under. */
static enum result verify_attrs(const struct cms_signed *s, struct crypto *c, struct pubkey *signer,
				struct err *err)
{
	static const uint8_t set[] = { DER_SET };
	enum result rc = pubkey_verify2(signer, c, s->sig_alg, SPAN_ARRAY(set),
					span_sub(s->signed_attrs, 1, SIZE_MAX), s->signature, err);

	if (rc == ERR_BAD_CHECK)
		rc = verify_sorted(s, c, signer, err);
	if (rc == ERR_BAD_CHECK)
		return err_set(err, rc,
			       "RFC 5652 5.6: the signature is not by the signer's key over the "
			       "signed attributes");
	return rc;
}

enum result cms_signed_verify_with(const struct cms_signed *s, struct crypto *c,
				   struct pubkey *signer, struct err *err)
{
	if (!s->has_signer)
		return err_set(err, ERR_BAD_CHECK, "SignedData has no signer");
	TRY(check_algs(s, err));
	if (s->n_attrs == 0)
		return err_prefix(
		    err, pubkey_verify(signer, c, s->sig_alg, s->content, s->signature, err),
		    "RFC 5652 5.6: signature over the content");
	TRY(check_content_type(s, err));
	TRY(check_digest(s, c, err));
	return verify_attrs(s, c, signer, err);
}

enum result cms_signed_verify(const struct cms_signed *s, struct crypto *c, struct span signer_spki,
			      struct err *err)
{
	CLEANUP(pubkey_freep) struct pubkey *key = NULL;

	TRY(pubkey_new(&key, c, signer_spki, err));
	return cms_signed_verify_with(s, c, key, err);
}
