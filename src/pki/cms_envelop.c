/* SPDX-License-Identifier: Apache-2.0 */
/* The writing half of cms_enveloped.h. */
#include "base/random.h"
#include "der/oid.h"
#include "der/writer.h"
#include "pki/cert.h"
#include "pki/cms.h"
#include "pki/cms_enveloped.h"
#include "pki/cms_kari.h"
#include "pki/cms_pwri.h"

/* Headers, algorithms, and an encrypted key of RSA-4096. */
#define OVERHEAD 1024
#define BLOCK_MAX 16

/* FIPS 46-3: the low bit of each octet makes the number of ones odd; some libraries insist. */
static void set_parity(uint8_t *key, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		key[i] = (uint8_t)((key[i] & 0xfe) | !__builtin_parity(key[i] & 0xfe));
}

static enum result make_key(enum cipher_alg cipher, struct buf *out, struct err *err)
{
	size_t size = cipher_key_size(cipher);
	uint8_t *key = buf_extend(out, size);

	if (!key)
		return err_nomem(err);
	TRY(random_fill(key, size, err));
	if (cipher == CIPHER_DES_CBC || cipher == CIPHER_DES_EDE3_CBC)
		set_parity(key, size);
	return OK;
}

static enum result put_encrypted(const struct cms_envelop *e, struct crypto *c, struct span key,
				 struct buf *out, struct err *err)
{
	size_t block = cipher_block_size(e->cipher), info, content;
	uint8_t iv[BLOCK_MAX];

	TRY(random_fill(iv, sizeof(iv), err));
	info = der_open(out, DER_SEQUENCE);
	der_put_oid(out, e->content_type.len ? e->content_type : OID_DATA);
	alg_put_cipher(out, e->cipher, span_of(iv, block));
	content = der_open(out, DER_CONTEXT(0));
	TRY(crypto_encrypt(c, e->cipher, key, span_of(iv, block), e->plain, out, err));
	der_close(out, content);
	der_close(out, info);
	return buf_check(out, err);
}

/* KeyTransRecipientInfo, RFC 5652 6.2.1: version 0 goes with issuer and serial, 2 with the key. */
static enum result put_holder(const struct cms_envelop *e, struct crypto *c,
			      const struct cms_holder *to, struct span key, struct buf *out,
			      struct err *err)
{
	size_t ri = der_open(out, DER_SEQUENCE), octets;

	der_put_uint(out, to->ski.len ? 2 : 0);
	if (to->ski.len)
		der_put_tlv(out, DER_CONTEXT(0), to->ski);
	else
		cms_put_issuer_serial(out, to->issuer, to->serial);
	alg_put_transport(out, &e->transport);
	octets = der_open(out, DER_OCTET_STRING);
	TRY(pubkey_encrypt(to->key, c, &e->transport, key, out, err));
	der_close(out, octets);
	der_close(out, ri);
	return buf_check(out, err);
}

/* A holder, or who shares a key, or a password. */
struct recipient {
	const struct cms_holder *holder;
	const struct cms_kek *kek;
	struct span password;
};

static enum result put_recipient(const struct cms_envelop *e, struct crypto *c,
				 const struct recipient *to, struct span key, struct buf *out,
				 struct err *err)
{
	if (to->holder && e->wrap && key_kind_is_ec(pubkey_info(to->holder->key)->kind))
		return cms_kari_put(c, to->holder, e->wrap, key, out, err);
	if (to->holder)
		return put_holder(e, c, to->holder, key, out, err);
	if (to->kek)
		return cms_kek_put(c, to->kek, key, out, err);
	return cms_pwri_put(c, e->cipher, to->password, key, out, err);
}

/* RFC 5652 6.1: 3 where there is a PasswordRecipientInfo, 0 where all there is has version 0. */
static unsigned version_for(const struct recipient *to)
{
	if (!to->holder && !to->kek)
		return 3;
	return to->holder && !to->holder->ski.len && pubkey_info(to->holder->key)->kind == KEY_RSA
		   ? 0
		   : 2;
}

static enum result put_enveloped(const struct cms_envelop *e, struct crypto *c,
				 const struct recipient *to, struct buf *out, struct err *err)
{
	BUF_SECRET key = BUF_INIT;
	struct cms_open cms;
	size_t set;

	TRY(make_key(e->cipher, &key, err));
	buf_reserve(out, OVERHEAD + e->plain.len);
	cms = cms_open(out, OID_ENVELOPED_DATA);
	der_put_uint(out, version_for(to));
	set = der_open(out, DER_SET);
	TRY(put_recipient(e, c, to, buf_span(&key), out, err));
	der_close(out, set);
	TRY(put_encrypted(e, c, buf_span(&key), out, err));
	cms_close(out, cms);
	return buf_check(out, err);
}

static enum result envelop(const struct cms_envelop *e, struct crypto *c,
			   const struct recipient *to, struct buf *out, struct err *err)
{
	size_t start = out->len;
	enum result rc;

	if (e->cipher == CIPHER_NONE)
		return err_set(err, ERR_BAD_ALG, "EnvelopedData without a content cipher");
	rc = put_enveloped(e, c, to, out, err);
	if (rc != OK)
		out->len = start;
	return rc;
}

enum result cms_envelop_to_holder(const struct cms_envelop *e, struct crypto *c,
				  const struct cms_holder *to, struct buf *out, struct err *err)
{
	return envelop(e, c, &(struct recipient){ .holder = to }, out, err);
}

enum result cms_envelop_to_cert(const struct cms_envelop *e, struct crypto *c,
				struct span recipient, struct buf *out, struct err *err)
{
	CLEANUP(pubkey_freep) struct pubkey *key = NULL;
	struct cert cert;

	TRY(err_prefix(err, cert_parse(recipient, &cert, err), "recipient"));
	TRY(err_prefix(err, pubkey_new(&key, c, cert.spki, err), "recipient"));
	return cms_envelop_to_holder(
	    e, c, &(struct cms_holder){ key, cert.issuer, cert.serial, SPAN_NONE }, out, err);
}

enum result cms_envelop_to_kek(const struct cms_envelop *e, struct crypto *c,
			       const struct cms_kek *to, struct buf *out, struct err *err)
{
	return envelop(e, c, &(struct recipient){ .kek = to }, out, err);
}

enum result cms_envelop_to_password(const struct cms_envelop *e, struct crypto *c,
				    struct span password, struct buf *out, struct err *err)
{
	return envelop(e, c, &(struct recipient){ .password = password }, out, err);
}
