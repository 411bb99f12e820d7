/* SPDX-License-Identifier: Apache-2.0 */
/* The writing half of cms_signed.h. */
#include "der/oid.h"
#include "der/writer.h"
#include "pki/cms.h"
#include "pki/cms_signed.h"

/* Headers, algorithms and the two standard attributes. */
#define OVERHEAD 512

/* An Attribute whose only value is being written. */
struct open_attr {
	size_t attr;
	size_t values;
};

static struct open_attr open_attr(struct buf *out, struct span type)
{
	struct open_attr o;

	o.attr = der_open(out, DER_SEQUENCE);
	der_put_oid(out, type);
	o.values = der_open(out, DER_SET);
	return o;
}

static void close_attr(struct buf *out, struct open_attr o)
{
	der_close(out, o.values);
	der_close(out, o.attr);
}

void cms_put_attr(struct buf *out, struct span type, struct span value)
{
	struct open_attr o = open_attr(out, type);

	buf_put(out, value);
	close_attr(out, o);
}

static struct span content_type(const struct cms_sign *s)
{
	return s->content_type.len ? s->content_type : OID_DATA;
}

static void put_content_type(struct buf *out, struct span type)
{
	struct open_attr o = open_attr(out, OID_CONTENT_TYPE);

	der_put_oid(out, type);
	close_attr(out, o);
}

static void put_digest(struct buf *out, struct span digest)
{
	struct open_attr o = open_attr(out, OID_MESSAGE_DIGEST);

	der_put_octets(out, digest);
	close_attr(out, o);
}

/* The SET OF that is signed. */
static enum result put_attrs(const struct cms_sign *s, enum digest_alg alg, struct crypto *c,
			     struct buf *out, struct err *err)
{
	struct span content = s->has_content ? s->content : SPAN_NONE;
	uint8_t digest[DIGEST_MAX];
	size_t set;

	TRY(crypto_digest(c, alg, &content, 1, digest, err));
	buf_reserve(out, OVERHEAD + s->attrs.len);
	set = der_open(out, DER_SET);
	put_content_type(out, content_type(s));
	put_digest(out, span_of(digest, digest_size(alg)));
	buf_put(out, s->attrs);
	der_close_set_of(out, set);
	return buf_check(out, err);
}

/* RFC 8419 3.1, RFC 9882 3.3: SHA-512 goes with the pure kinds. */
static enum digest_alg attrs_digest(struct sig_alg alg)
{
	return key_kind_is_pure(alg.kind) ? DIGEST_SHA512 : alg.digest;
}

enum result cms_put_signed_attrs(struct span content, struct sig_alg alg, struct crypto *c,
				 struct buf *out, struct err *err)
{
	const struct cms_sign s = { .has_content = true, .content = content };

	return put_attrs(&s, attrs_digest(alg), c, out, err);
}

static void put_encap_content(struct buf *out, const struct cms_sign *s)
{
	size_t seq = der_open(out, DER_SEQUENCE), explicit;

	der_put_oid(out, content_type(s));
	if (s->has_content) {
		explicit = der_open(out, DER_CONTEXT_CONS(0));
		der_put_octets(out, s->content);
		der_close(out, explicit);
	}
	der_close(out, seq);
}

/*
 * In the caller's order, not that of a DER SET OF: devices take the first certificate for theirs,
 * and no reader minds (RFC 5652 asks for BER here).
 */
static void put_list(struct buf *out, uint8_t number, const struct span *list, size_t n)
{
	size_t mark, i;

	if (n == 0)
		return;
	mark = der_open(out, DER_CONTEXT_CONS(number));
	for (i = 0; i < n; i++)
		buf_put(out, list[i]);
	der_close(out, mark);
}

struct signer {
	struct cert cert; /* empty: named by... */
	struct span ski;
	enum digest_alg digest;
	struct sig_alg sig_alg;
	struct span attrs; /* content of the SET OF */
	struct span signature;
};

static void put_signer(struct buf *out, const struct signer *s)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_uint(out, s->ski.len ? 3 : 1); /* RFC 5652 5.3 */
	if (s->ski.len)
		der_put_tlv(out, DER_CONTEXT(0), s->ski);
	else
		cms_put_issuer_serial(out, s->cert.issuer, s->cert.serial);
	alg_put_digest(out, s->digest);
	der_put_tlv(out, DER_CONTEXT_CONS(0), s->attrs);
	alg_put_cms_sig(out, s->sig_alg);
	der_put_octets(out, s->signature);
	der_close(out, seq);
}

static void put_signed_data(struct buf *out, const struct cms_sign *s, const struct signer *signer)
{
	struct cms_open cms = cms_open(out, OID_SIGNED_DATA);
	size_t set;

	der_put_uint(out, s->content_type.len || signer->ski.len ? 3 : 1); /* RFC 5652 5.1 */
	set = der_open(out, DER_SET);
	alg_put_digest(out, signer->digest);
	der_close(out, set);
	put_encap_content(out, s);
	put_list(out, 0, s->certs, s->n_certs);
	put_list(out, 1, s->crls, s->n_crls);
	set = der_open(out, DER_SET);
	put_signer(out, signer);
	der_close(out, set);
	cms_close(out, cms);
}

static size_t total(const struct span *list, size_t n)
{
	size_t sum = 0, i;

	for (i = 0; i < n; i++)
		sum += list[i].len;
	return sum;
}

enum result cms_sign(const struct cms_sign *s, struct key *key, struct crypto *c, struct buf *out,
		     struct err *err)
{
	struct signer signer = { .sig_alg = { key->kind, s->digest }, .ski = s->signer_ski };
	BUF signature = BUF_INIT;
	BUF attrs = BUF_INIT;
	struct der_reader r, set;

	signer.digest = attrs_digest(signer.sig_alg);
	if (key_kind_is_pure(key->kind))
		signer.sig_alg.digest = DIGEST_NONE;
	if (signer.ski.len == 0)
		TRY(err_prefix(err, cert_parse(s->signer_cert, &signer.cert, err), "signer"));
	TRY(put_attrs(s, signer.digest, c, &attrs, err));
	TRY(s->next_ca
		? key_sign(key, c, KEY_FOR_NEXT_CA, signer.sig_alg, s->content, &signature, err)
		: key_sign(key, c, KEY_FOR_CONTENT, signer.sig_alg, buf_span(&attrs), &signature,
			   err));
	der_reader_init(&r, buf_span(&attrs));
	TRY(der_enter(&r, DER_SET, "signedAttrs", &set, err));
	signer.attrs = set.rest;
	signer.signature = buf_span(&signature);
	buf_reserve(out, OVERHEAD + s->content.len + attrs.len + signature.len +
			     signer.cert.issuer.len + total(s->certs, s->n_certs) +
			     total(s->crls, s->n_crls));
	put_signed_data(out, s, &signer);
	return buf_check(out, err);
}

enum result cms_put_degenerate(struct buf *out, const struct span *certs, size_t n_certs,
			       const struct span *crls, size_t n_crls, struct err *err)
{
	struct cms_open cms;
	size_t set;

	buf_reserve(out, OVERHEAD + total(certs, n_certs) + total(crls, n_crls));
	cms = cms_open(out, OID_SIGNED_DATA);
	der_put_uint(out, 1);
	set = der_open(out, DER_SET);
	der_close(out, set);
	put_encap_content(out, &(struct cms_sign){ .has_content = false });
	put_list(out, 0, certs, n_certs);
	put_list(out, 1, crls, n_crls);
	set = der_open(out, DER_SET);
	der_close(out, set);
	cms_close(out, cms);
	return buf_check(out, err);
}
