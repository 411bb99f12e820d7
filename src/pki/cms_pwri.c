/* SPDX-License-Identifier: Apache-2.0 */
/* A content key under a password: PBKDF2 (RFC 8018 A.2) and the key wrap of RFC 3211 2.3. */
#include "pki/cms_pwri.h"

#include "base/random.h"
#include "der/oid.h"
#include "der/writer.h"
#include "pki/cms_enveloped.h"

#define SALT_SIZE 16
#define KEY_MAX 32
#define BLOCK_MAX 16
#define CHECKED 3 /* octets of the key that the wrap repeats, inverted */
#define HEAD (1 + CHECKED)

/* PBKDF2-params ::= SEQUENCE { salt, iterationCount, keyLength OPTIONAL, prf DEFAULT hmacSHA1 } */
struct kdf {
	struct span salt;
	uint64_t iterations;
	enum digest_alg prf;
};

static const struct {
	const struct span *oid;
	enum digest_alg digest;
} prfs[] = {
	{ &OID_HMAC_SHA1, DIGEST_SHA1 },
	{ &OID_HMAC_SHA256, DIGEST_SHA256 },
	{ &OID_HMAC_SHA384, DIGEST_SHA384 },
	{ &OID_HMAC_SHA512, DIGEST_SHA512 },
};

static enum result read_prf(struct der_reader *r, enum digest_alg *out, struct err *err)
{
	struct der_reader alg;
	struct span oid;
	size_t i;

	if (der_at_end(r)) {
		*out = DIGEST_SHA1;
		return OK;
	}
	TRY(der_enter(r, DER_SEQUENCE, "PBKDF2 prf", &alg, err));
	TRY(der_read_oid(&alg, "PBKDF2 prf", &oid, err));
	for (i = 0; i < ARRAY_LEN(prfs); i++)
		if (span_eq(oid, *prfs[i].oid)) {
			*out = prfs[i].digest;
			return OK;
		}
	return err_set(err, ERR_BAD_ALG, "PBKDF2 prf: unknown algorithm");
}

static enum result read_kdf(struct span params, size_t key_size, struct kdf *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv salt;
	uint64_t size = key_size;

	TRY(der_read_whole(params, DER_SEQUENCE, "PBKDF2-params", &r, err));
	TRY(der_read(&r, DER_OCTET_STRING, "PBKDF2 salt", &salt, err));
	out->salt = salt.content;
	TRY(der_read_uint(&r, "PBKDF2 iterationCount", CMS_PBKDF2_ITERATIONS_MAX, &out->iterations,
			  err));
	if (der_peek(&r, DER_INTEGER))
		TRY(der_read_uint(&r, "PBKDF2 keyLength", KEY_MAX, &size, err));
	if (out->iterations == 0 || size != key_size)
		return err_set(err, ERR_SYNTAX,
			       "PBKDF2: %llu iterations for a key of %llu octets, cipher has %zu",
			       (unsigned long long)out->iterations, (unsigned long long)size,
			       key_size);
	TRY(read_prf(&r, &out->prf, err));
	return der_end(&r, "PBKDF2-params", err);
}

/* Key, length octet and check value, filled up with chance to whole blocks, at least two. */
static enum result format_key(struct span key, size_t block, struct buf *out, struct err *err)
{
	size_t size = (HEAD + key.len + block - 1) / block * block, i;
	uint8_t *at;

	if (size < 2 * block)
		size = 2 * block;
	at = buf_extend(out, size);
	if (!at)
		return err_nomem(err);
	TRY(random_fill(at, size, err));
	at[0] = (uint8_t)key.len;
	for (i = 0; i < CHECKED; i++)
		at[1 + i] = (uint8_t)~key.p[i];
	memcpy(at + HEAD, key.p, key.len);
	return OK;
}

/* The reverse; one error for all that can be wrong, found without looking where. */
static enum result parse_key(struct span block, struct secret *out, struct err *err)
{
	size_t len = block.p[0], i;
	uint8_t diff = 0;

	for (i = 0; i < CHECKED; i++)
		diff |= (uint8_t)(block.p[1 + i] ^ ~block.p[HEAD + i]);
	if (diff != 0 || len < CHECKED || len > block.len - HEAD)
		return err_set(
		    err, ERR_BAD_CHECK,
		    "RFC 3211 2.3.2: the content key does not unwrap with this password");
	return secret_set(out, span_sub(block, HEAD, len), err);
}

/* A key-encryption key with what it is used by. */
struct kek {
	enum cipher_alg cipher;
	struct span key;
	struct span iv;
};

/* The last block of what the inner encryption gave is the IV of the outer one: it is found first.
 */
static enum result unwrap(const struct kek *kek, struct crypto *c, struct span in,
			  struct secret *out, struct err *err)
{
	size_t block = cipher_block_size(kek->cipher);
	struct span last, before;
	BUF_SECRET iv = BUF_INIT;
	BUF_SECRET inner = BUF_INIT;
	BUF_SECRET plain = BUF_INIT;

	if (in.len < 2 * block || in.len % block)
		return err_set(err, ERR_SYNTAX, "RFC 3211 2.3.2: wrapped key of %zu octets",
			       in.len);
	last = span_sub(in, in.len - block, block);
	before = span_sub(in, in.len - 2 * block, block);
	TRY(crypto_decrypt_blocks(c, kek->cipher, kek->key, before, last, &iv, err));
	TRY(crypto_decrypt_blocks(c, kek->cipher, kek->key, buf_span(&iv), in, &inner, err));
	TRY(crypto_decrypt_blocks(c, kek->cipher, kek->key, kek->iv, buf_span(&inner), &plain,
				  err));
	return parse_key(buf_span(&plain), out, err);
}

static enum result wrap(const struct kek *kek, struct crypto *c, struct span key, struct buf *out,
			struct err *err)
{
	size_t block = cipher_block_size(kek->cipher);
	BUF_SECRET plain = BUF_INIT;
	BUF_SECRET inner = BUF_INIT;
	struct span last;

	TRY(format_key(key, block, &plain, err));
	TRY(crypto_encrypt_blocks(c, kek->cipher, kek->key, kek->iv, buf_span(&plain), &inner,
				  err));
	last = span_sub(buf_span(&inner), inner.len - block, block);
	return crypto_encrypt_blocks(c, kek->cipher, kek->key, last, buf_span(&inner), out, err);
}

enum result cms_pwri_unwrap(const struct cms_recipient *r, struct crypto *c, struct span password,
			    struct secret *content_key, struct err *err)
{
	size_t size = cipher_key_size(r->pwri_cipher);
	uint8_t key[KEY_MAX];
	struct kek kek = { r->pwri_cipher, span_of(key, size), r->pwri_iv };
	struct kdf kdf;
	enum result rc;

	if (r->kind != CMS_RECIPIENT_PASSWORD || !r->pwri_kdf.len || !size)
		return err_set(err, ERR_BAD_ALG,
			       "PasswordRecipientInfo: only PBKDF2 and id-alg-PWRI-KEK with a "
			       "known cipher");
	TRY(read_kdf(r->pwri_kdf, size, &kdf, err));
	TRY(crypto_pbkdf2(c, kdf.prf, password, kdf.salt, (uint32_t)kdf.iterations, key, size,
			  err));
	rc = unwrap(&kek, c, r->encrypted_key, content_key, err);
	explicit_bzero(key, sizeof(key));
	return rc;
}

static void put_kdf(struct buf *out, struct span salt)
{
	size_t alg = der_open(out, DER_CONTEXT_CONS(0)), params, prf;

	der_put_oid(out, OID_PBKDF2);
	params = der_open(out, DER_SEQUENCE);
	der_put_octets(out, salt);
	der_put_uint(out, CMS_PBKDF2_ITERATIONS);
	prf = der_open(out, DER_SEQUENCE);
	der_put_oid(out, OID_HMAC_SHA256);
	der_put_null(out);
	der_close(out, prf);
	der_close(out, params);
	der_close(out, alg);
}

static void put_kek(struct buf *out, enum cipher_alg cipher, struct span iv)
{
	size_t alg = der_open(out, DER_SEQUENCE);

	der_put_oid(out, OID_PWRI_KEK);
	alg_put_cipher(out, cipher, iv);
	der_close(out, alg);
}

enum result cms_pwri_put(struct crypto *c, enum cipher_alg cipher, struct span password,
			 struct span content_key, struct buf *out, struct err *err)
{
	size_t size = cipher_key_size(cipher), ri;
	uint8_t salt[SALT_SIZE], iv[BLOCK_MAX], key[KEY_MAX];
	struct kek kek = { cipher, span_of(key, size), span_of(iv, cipher_block_size(cipher)) };
	BUF wrapped = BUF_INIT;
	enum result rc;

	TRY(random_fill(salt, sizeof(salt), err));
	TRY(random_fill(iv, sizeof(iv), err));
	TRY(crypto_pbkdf2(c, DIGEST_SHA256, password, SPAN_ARRAY(salt), CMS_PBKDF2_ITERATIONS, key,
			  size, err));
	rc = wrap(&kek, c, content_key, &wrapped, err);
	explicit_bzero(key, sizeof(key));
	TRY(rc);
	ri = der_open(out, DER_CONTEXT_CONS(3));
	der_put_uint(out, 0);
	put_kdf(out, SPAN_ARRAY(salt));
	put_kek(out, cipher, kek.iv);
	der_put_octets(out, buf_span(&wrapped));
	der_close(out, ri);
	return buf_check(out, err);
}
