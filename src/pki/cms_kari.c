/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/cms_kari.h"

#include "der/oid.h"
#include "der/writer.h"
#include "pki/cms.h"
#include "pki/key_evp.h"

#define VERSION_KARI 3
#define VERSION_KEK 4

/* ---- the key that wraps ---- */

/*
 * ECC-CMS-SharedInfo (RFC 5753 7.2): SEQUENCE { keyInfo, entityUInfo [0] OPTIONAL, suppPubInfo [2]
 * }, the last the length of the key in bits.
 */
static void put_shared_info(struct buf *out, enum wrap_alg wrap, struct span ukm)
{
	uint32_t bits = (uint32_t)wrap_key_size(wrap) * 8;
	const uint8_t octets[] = { (uint8_t)(bits >> 24), (uint8_t)(bits >> 16),
				   (uint8_t)(bits >> 8), (uint8_t)bits };
	size_t seq = der_open(out, DER_SEQUENCE), explicit;

	wrap_alg_put(out, wrap);
	if (ukm.len) {
		explicit = der_open(out, DER_CONTEXT_CONS(0));
		der_put_octets(out, ukm);
		der_close(out, explicit);
	}
	explicit = der_open(out, DER_CONTEXT_CONS(2));
	der_put_octets(out, SPAN_ARRAY(octets));
	der_close(out, explicit);
	der_close(out, seq);
}

struct agreement {
	struct key *own;
	struct span peer; /* SubjectPublicKeyInfo */
	enum wrap_alg wrap;
	struct span ukm;
};

static RESULT agree(struct crypto *c, const struct agreement *a, uint8_t kek[WRAP_KEY_MAX],
		    struct err *err)
{
	SECRET shared = SECRET_INIT;
	BUF info = BUF_INIT;

	TRY(key_evp_agree(a->own, c, a->peer, &shared, err));
	put_shared_info(&info, a->wrap, a->ukm);
	TRY(buf_check(&info, err));
	return wrap_derive(c, secret_span(&shared), buf_span(&info), kek, wrap_key_size(a->wrap),
			   err);
}

/* ---- out ---- */

/* OriginatorPublicKey is a SubjectPublicKeyInfo under another tag. */
static RESULT put_originator(struct buf *out, struct span spki, struct err *err)
{
	size_t explicit = der_open(out, DER_CONTEXT_CONS(0));
	struct der_reader content;

	TRY(der_read_whole(spki, DER_SEQUENCE, "ephemeral key", &content, err));
	der_put_tlv(out, DER_CONTEXT_CONS(1), content.rest);
	der_close(out, explicit);
	return OK;
}

static void put_algorithm(struct buf *out, enum wrap_alg wrap)
{
	size_t alg = der_open(out, DER_SEQUENCE);

	der_put_oid(out, OID_ECDH_SHA256_KDF);
	wrap_alg_put(out, wrap);
	der_close(out, alg);
}

/* KeyAgreeRecipientIdentifier ::= CHOICE { issuerAndSerialNumber, rKeyId [0] } */
static void put_recipient_id(struct buf *out, const struct cms_holder *to)
{
	size_t id;

	if (!to->ski.len) {
		cms_put_issuer_serial(out, to->issuer, to->serial);
		return;
	}
	id = der_open(out, DER_CONTEXT_CONS(0));
	der_put_octets(out, to->ski);
	der_close(out, id);
}

static RESULT put_encrypted_keys(struct buf *out, const struct cms_holder *to, struct span wrapped,
				 struct err *err)
{
	size_t list = der_open(out, DER_SEQUENCE), one = der_open(out, DER_SEQUENCE);

	put_recipient_id(out, to);
	der_put_octets(out, wrapped);
	der_close(out, one);
	der_close(out, list);
	return buf_check(out, err);
}

static RESULT wrap_for(struct crypto *c, const struct agreement *a, struct span content_key,
		       struct buf *out, struct err *err)
{
	uint8_t kek[WRAP_KEY_MAX];
	enum result r = agree(c, a, kek, err);

	if (r == OK)
		r = wrap_key(c, a->wrap, span_of(kek, wrap_key_size(a->wrap)), content_key, out,
			     err);
	explicit_bzero(kek, sizeof(kek));
	return r;
}

enum result cms_kari_put(struct crypto *c, const struct cms_holder *to, enum wrap_alg wrap,
			 struct span content_key, struct buf *out, struct err *err)
{
	const struct pubkey_info *info = pubkey_info(to->key);
	CLEANUP(key_freep) struct key *ephemeral = NULL;
	struct agreement a = { .peer = info->spki, .wrap = wrap };
	BUF wrapped = BUF_INIT;
	size_t ri;

	TRY(key_evp_generate(&ephemeral, c, (struct key_spec){ info->kind, info->bits }, err));
	a.own = ephemeral;
	TRY(wrap_for(c, &a, content_key, &wrapped, err));
	ri = der_open(out, DER_CONTEXT_CONS(1));
	der_put_uint(out, VERSION_KARI);
	TRY(put_originator(out, key_spki(ephemeral), err));
	put_algorithm(out, wrap);
	TRY(put_encrypted_keys(out, to, buf_span(&wrapped), err));
	der_close(out, ri);
	return buf_check(out, err);
}

/* ---- in ---- */

/* Empty, unless it is a key that came along. */
static RESULT read_originator(struct der_reader *r, struct span *out, struct err *err)
{
	struct der_reader explicit;
	struct der_tlv tlv;

	TRY(der_enter(r, DER_CONTEXT_CONS(0), "originator", &explicit, err));
	TRY(der_read_any(&explicit, "originator", &tlv, err));
	if (tlv.tag == DER_CONTEXT_CONS(1))
		*out = tlv.content;
	return der_end(&explicit, "originator", err);
}

static RESULT read_ukm(struct der_reader *r, struct span *out, struct err *err)
{
	struct der_reader explicit;
	struct der_tlv tlv;

	if (!der_peek(r, DER_CONTEXT_CONS(1)))
		return OK;
	TRY(der_enter(r, DER_CONTEXT_CONS(1), "ukm", &explicit, err));
	TRY(der_read(&explicit, DER_OCTET_STRING, "ukm", &tlv, err));
	*out = tlv.content;
	return der_end(&explicit, "ukm", err);
}

/* WRAP_NONE: an agreement that we do not know. */
static RESULT read_algorithm(struct der_reader *r, enum wrap_alg *out, struct err *err)
{
	static const char what[] = "keyEncryptionAlgorithm";
	struct der_reader alg;
	struct span oid;

	*out = WRAP_NONE;
	TRY(der_enter(r, DER_SEQUENCE, what, &alg, err));
	TRY(der_read_oid(&alg, what, &oid, err));
	if (span_eq(oid, OID_ECDH_SHA256_KDF) && wrap_alg_read(&alg, what, out, NULL) != OK)
		*out = WRAP_NONE;
	return OK;
}

static RESULT read_recipient_id(struct der_reader *r, struct cms_recipient *out, struct err *err)
{
	struct der_reader id;
	struct der_tlv ski;

	if (!der_peek(r, DER_CONTEXT_CONS(0)))
		return cms_read_issuer_serial(r, &out->issuer, &out->serial, err);
	TRY(der_enter(r, DER_CONTEXT_CONS(0), "rKeyId", &id, err));
	TRY(der_read(&id, DER_OCTET_STRING, "rKeyId.subjectKeyIdentifier", &ski, err));
	out->ski = ski.content; /* date and other, behind it, tell us nothing */
	return OK;
}

/* The first of them: an originator for several holders at once is not what we meet. */
static RESULT read_encrypted_key(struct der_reader *r, struct cms_recipient *out, struct err *err)
{
	static const char what[] = "RecipientEncryptedKey";
	struct der_reader list, one;
	struct der_tlv key;

	TRY(der_enter(r, DER_SEQUENCE, "recipientEncryptedKeys", &list, err));
	TRY(der_enter(&list, DER_SEQUENCE, what, &one, err));
	TRY(read_recipient_id(&one, out, err));
	TRY(der_read(&one, DER_OCTET_STRING, what, &key, err));
	out->encrypted_key = key.content;
	return der_end(&one, what, err);
}

enum result cms_kari_read(struct der_reader *r, struct cms_recipient *out, struct err *err)
{
	uint64_t version;

	TRY(der_read_uint(r, "KeyAgreeRecipientInfo.version", VERSION_KARI, &version, err));
	TRY(read_originator(r, &out->originator, err));
	TRY(read_ukm(r, &out->ukm, err));
	TRY(read_algorithm(r, &out->wrap, err));
	TRY(read_encrypted_key(r, out, err));
	out->kind = out->originator.len && out->wrap != WRAP_NONE ? CMS_RECIPIENT_KEY_AGREEMENT
								  : CMS_RECIPIENT_OTHER;
	return der_end(r, "KeyAgreeRecipientInfo", err);
}

/*
 * The originator's key as a SubjectPublicKeyInfo. Its algorithm may leave the curve out (RFC 5753
 * 3.1.1), for it is the recipient's.
 */
static RESULT put_peer(const struct cms_recipient *r, struct key *own, struct buf *out,
		       struct err *err)
{
	struct der_reader theirs, ours;
	struct der_tlv alg, bits;
	size_t seq;

	der_reader_init(&theirs, r->originator);
	TRY(der_read(&theirs, DER_SEQUENCE, "originatorKey.algorithm", &alg, err));
	TRY(der_read(&theirs, DER_BIT_STRING, "originatorKey.publicKey", &bits, err));
	TRY(der_end(&theirs, "originatorKey", err));
	TRY(der_read_whole(key_spki(own), DER_SEQUENCE, "key", &ours, err));
	TRY(der_read(&ours, DER_SEQUENCE, "key", &alg, err));
	seq = der_open(out, DER_SEQUENCE);
	buf_put(out, alg.whole);
	buf_put(out, bits.whole);
	der_close(out, seq);
	return buf_check(out, err);
}

enum result cms_kari_unwrap(const struct cms_recipient *r, struct crypto *c, struct key *key,
			    struct secret *content_key, struct err *err)
{
	struct agreement a = { .own = key, .wrap = r->wrap, .ukm = r->ukm };
	uint8_t kek[WRAP_KEY_MAX];
	BUF peer = BUF_INIT;
	enum result rc;

	if (r->kind != CMS_RECIPIENT_KEY_AGREEMENT)
		return err_set(err, ERR_BAD_ALG,
			       "KeyAgreeRecipientInfo: only dhSinglePass-stdDH-sha256kdf with AES "
			       "key wrap");
	TRY(put_peer(r, key, &peer, err));
	a.peer = buf_span(&peer);
	rc = agree(c, &a, kek, err);
	if (rc == OK)
		rc = wrap_key_open(c, r->wrap, span_of(kek, wrap_key_size(r->wrap)),
				   r->encrypted_key, content_key, err);
	explicit_bzero(kek, sizeof(kek));
	return rc;
}

/* ---- a key that is shared ---- */

enum result cms_kek_read(struct der_reader *r, struct cms_recipient *out, struct err *err)
{
	struct der_reader id, alg;
	struct der_tlv tlv;
	uint64_t version;

	TRY(der_read_uint(r, "KEKRecipientInfo.version", VERSION_KEK, &version, err));
	TRY(der_enter(r, DER_SEQUENCE, "kekid", &id, err));
	TRY(der_read(&id, DER_OCTET_STRING, "kekid.keyIdentifier", &tlv, err));
	out->ski = tlv.content;
	TRY(der_read(r, DER_SEQUENCE, "keyEncryptionAlgorithm", &tlv, err));
	der_reader_init(&alg, tlv.whole);
	out->kind = wrap_alg_read(&alg, "keyEncryptionAlgorithm", &out->wrap, NULL) == OK
			? CMS_RECIPIENT_KEK
			: CMS_RECIPIENT_OTHER;
	TRY(der_read(r, DER_OCTET_STRING, "encryptedKey", &tlv, err));
	out->encrypted_key = tlv.content;
	return der_end(r, "KEKRecipientInfo", err);
}

enum result cms_kek_put(struct crypto *c, const struct cms_kek *to, struct span content_key,
			struct buf *out, struct err *err)
{
	enum wrap_alg wrap = wrap_alg_for(to->key.len);
	BUF wrapped = BUF_INIT;
	size_t ri, id;

	TRY(wrap_key(c, wrap, to->key, content_key, &wrapped, err));
	ri = der_open(out, DER_CONTEXT_CONS(2));
	der_put_uint(out, VERSION_KEK);
	id = der_open(out, DER_SEQUENCE);
	der_put_octets(out, to->id);
	der_close(out, id);
	wrap_alg_put(out, wrap);
	der_put_octets(out, buf_span(&wrapped));
	der_close(out, ri);
	return buf_check(out, err);
}

enum result cms_kek_unwrap(const struct cms_recipient *r, struct crypto *c, struct span kek,
			   struct secret *content_key, struct err *err)
{
	if (r->kind != CMS_RECIPIENT_KEK)
		return err_set(err, ERR_BAD_ALG, "KEKRecipientInfo: only AES key wrap");
	return wrap_key_open(c, r->wrap, kek, r->encrypted_key, content_key, err);
}
