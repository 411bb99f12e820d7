/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/crypto.h"

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>

#include "pki/crypto_evp.h"
#include "pki/ec_public.h"

#define DIGESTS (DIGEST_SHA512 + 1)
#define CIPHERS (CIPHER_AES256_CBC + 1)
#define KINDS KEY_KINDS_
#define BLOCK_MAX 16

struct crypto {
	OSSL_LIB_CTX *lib;
	OSSL_PROVIDER *standard;
	OSSL_PROVIDER *legacy;
	EVP_MD *md[DIGESTS];
	EVP_CIPHER *cipher[CIPHERS];
	EVP_PKEY_CTX *import[KINDS];
	EVP_MAC *hmac;
	EVP_MD_CTX *md_ctx;
	EVP_CIPHER_CTX *cipher_ctx;
	BN_CTX *numbers;
	struct ec_public *spare_ec[KINDS];
};

static const char *const md_names[DIGESTS] = {
	[DIGEST_MD5] = "MD5",         [DIGEST_SHA1] = "SHA1",       [DIGEST_SHA256] = "SHA2-256",
	[DIGEST_SHA384] = "SHA2-384", [DIGEST_SHA512] = "SHA2-512",
};

static const char *const kind_types[KINDS] = {
	[KEY_RSA] = "RSA",
	[KEY_EC_P256] = "EC",
	[KEY_EC_P384] = "EC",
	[KEY_EC_P521] = "EC",
	[KEY_ED25519] = "ED25519",
	[KEY_ML_DSA_44] = "ML-DSA-44",
	[KEY_ML_DSA_65] = "ML-DSA-65",
	[KEY_ML_DSA_87] = "ML-DSA-87",
};

enum result crypto_fail(struct err *err, enum result code, const char *what)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(e);

	if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE)
		code = ERR_NOMEM;
	ERR_clear_error();
	return err_set(err, code, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
}

/* Everything that a call would otherwise look up by name again and again. */
static void fetch_all(struct crypto *c)
{
	size_t i;

	for (i = 0; i < DIGESTS; i++)
		if (md_names[i])
			c->md[i] = EVP_MD_fetch(c->lib, md_names[i], NULL);
	for (i = CIPHER_NONE + 1; i < CIPHERS; i++)
		c->cipher[i] = EVP_CIPHER_fetch(c->lib, cipher_name((enum cipher_alg)i), NULL);
	for (i = 0; i < KINDS; i++) {
		if (!kind_types[i])
			continue;
		c->import[i] = EVP_PKEY_CTX_new_from_name(c->lib, kind_types[i], NULL);
		if (c->import[i] && EVP_PKEY_fromdata_init(c->import[i]) <= 0) {
			EVP_PKEY_CTX_free(c->import[i]);
			c->import[i] = NULL;
		}
	}
	c->hmac = EVP_MAC_fetch(c->lib, "HMAC", NULL);
	c->md_ctx = EVP_MD_CTX_new();
	c->cipher_ctx = EVP_CIPHER_CTX_new();
	c->numbers = BN_CTX_new();
	ERR_clear_error();
}

enum result crypto_new(struct crypto **out, bool legacy, struct err *err)
{
	CLEANUP(crypto_freep) struct crypto *c = calloc(1, sizeof(*c));

	if (!c)
		return err_nomem(err);
	c->lib = OSSL_LIB_CTX_new();
	if (!c->lib)
		return err_nomem(err);
	c->standard = OSSL_PROVIDER_load(c->lib, "default");
	if (!c->standard)
		return crypto_fail(err, ERR_INTERNAL, "OpenSSL's default provider");
	if (legacy)
		c->legacy = OSSL_PROVIDER_load(c->lib, "legacy");
	fetch_all(c);
	if (!c->md_ctx || !c->cipher_ctx || !c->numbers)
		return err_nomem(err);
	if (!c->md[DIGEST_SHA256] || !c->cipher[CIPHER_AES256_CBC] || !c->hmac)
		return err_set(err, ERR_INTERNAL, "OpenSSL has neither SHA-256 nor AES-256-CBC");
	*out = take(c);
	return OK;
}

void crypto_free(struct crypto *c)
{
	size_t i;

	if (!c)
		return;
	BN_CTX_free(c->numbers);
	EVP_CIPHER_CTX_free(c->cipher_ctx);
	EVP_MD_CTX_free(c->md_ctx);
	EVP_MAC_free(c->hmac);
	for (i = 0; i < KINDS; i++) {
		ec_public_destroy(c->spare_ec[i]);
		EVP_PKEY_CTX_free(c->import[i]);
	}
	for (i = 0; i < CIPHERS; i++)
		EVP_CIPHER_free(c->cipher[i]);
	for (i = 0; i < DIGESTS; i++)
		EVP_MD_free(c->md[i]);
	if (c->legacy)
		OSSL_PROVIDER_unload(c->legacy);
	if (c->standard)
		OSSL_PROVIDER_unload(c->standard);
	OSSL_LIB_CTX_free(c->lib);
	free(c);
}

OSSL_LIB_CTX *crypto_libctx(struct crypto *c)
{
	return c->lib;
}

const EVP_MD *crypto_md(struct crypto *c, enum digest_alg alg)
{
	return (unsigned)alg < DIGESTS ? c->md[alg] : NULL;
}

const EVP_CIPHER *crypto_cipher(struct crypto *c, enum cipher_alg alg)
{
	return (unsigned)alg < CIPHERS ? c->cipher[alg] : NULL;
}

EVP_PKEY_CTX *crypto_import_ctx(struct crypto *c, enum key_kind kind)
{
	return (unsigned)kind < KINDS ? c->import[kind] : NULL;
}

BN_CTX *crypto_numbers(struct crypto *c)
{
	return c->numbers;
}

struct ec_public **crypto_spare_ec(struct crypto *c, enum key_kind kind)
{
	return &c->spare_ec[kind];
}

enum result crypto_digest(struct crypto *c, enum digest_alg alg, const struct span *parts, size_t n,
			  uint8_t out[DIGEST_MAX], struct err *err)
{
	const EVP_MD *md = crypto_md(c, alg);
	uint8_t value[EVP_MAX_MD_SIZE];
	size_t i;
	bool ok;

	if (!md)
		return err_set(err, ERR_BAD_ALG, "digest %s is not available", digest_name(alg));
	ok = EVP_DigestInit_ex2(c->md_ctx, md, NULL) == 1;
	for (i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(c->md_ctx, parts[i].p, parts[i].len) == 1;
	if (!ok || EVP_DigestFinal_ex(c->md_ctx, value, NULL) != 1)
		return crypto_fail(err, ERR_INTERNAL, digest_name(alg));
	memcpy(out, value, digest_size(alg));
	return OK;
}

struct cipher_job {
	enum cipher_alg alg;
	struct span key;
	struct span iv;
	struct span in;
	bool encrypt;
	bool padding;
};

/* One text for a wrong key, its wrong length and a wrong padding: none must learn which it was. */
static enum result cipher_failed(const struct cipher_job *job, struct err *err)
{
	return err_set(err, job->encrypt ? ERR_INTERNAL : ERR_BAD_CHECK, "%s: %s failed",
		       cipher_name(job->alg), job->encrypt ? "encryption" : "decryption");
}

static enum result check_job(struct crypto *c, const struct cipher_job *job, struct err *err)
{
	const char *name = cipher_name(job->alg);

	if (!crypto_cipher(c, job->alg))
		return err_set(err, ERR_BAD_ALG, "cipher %s is not available", name);
	if (job->in.len > INT32_MAX - BLOCK_MAX)
		return err_set(err, ERR_LIMIT, "%s: %zu bytes at once", name, job->in.len);
	if (job->key.len != cipher_key_size(job->alg) || job->iv.len != cipher_block_size(job->alg))
		return cipher_failed(job, err);
	return OK;
}

/* Into at, which has room for the input and a block more. */
static bool run_cipher(struct crypto *c, const struct cipher_job *job, uint8_t *at, size_t *len)
{
	EVP_CIPHER_CTX *ctx = c->cipher_ctx;
	int n = 0, last = 0;
	bool ok;

	ok = EVP_CipherInit_ex2(ctx, c->cipher[job->alg], job->key.p, job->iv.p, job->encrypt,
				NULL) == 1 &&
	     EVP_CIPHER_CTX_set_padding(ctx, job->padding) == 1 &&
	     EVP_CipherUpdate(ctx, at, &n, job->in.p, (int)job->in.len) == 1 &&
	     EVP_CipherFinal_ex(ctx, at + n, &last) == 1;
	/* Also wipes the key schedule. */
	EVP_CIPHER_CTX_reset(ctx);
	*len = (size_t)n + (size_t)last;
	return ok;
}

static enum result cipher(struct crypto *c, const struct cipher_job *job, struct buf *out,
			  struct err *err)
{
	size_t before = out->len, room, len = 0;
	uint8_t *at;

	TRY(check_job(c, job, err));
	room = job->in.len + BLOCK_MAX;
	at = buf_extend(out, room);
	if (!at)
		return err_nomem(err);
	if (!run_cipher(c, job, at, &len)) {
		explicit_bzero(at, room);
		out->len = before;
		ERR_clear_error();
		return cipher_failed(job, err);
	}
	out->len = before + len;
	return OK;
}

enum result crypto_encrypt(struct crypto *c, enum cipher_alg alg, struct span key, struct span iv,
			   struct span plain, struct buf *out, struct err *err)
{
	const struct cipher_job job = { alg, key, iv, plain, true, true };

	return cipher(c, &job, out, err);
}

enum result crypto_decrypt(struct crypto *c, enum cipher_alg alg, struct span key, struct span iv,
			   struct span cipher_text, struct buf *out, struct err *err)
{
	const struct cipher_job job = { alg, key, iv, cipher_text, false, true };

	return cipher(c, &job, out, err);
}

enum result crypto_encrypt_blocks(struct crypto *c, enum cipher_alg alg, struct span key,
				  struct span iv, struct span plain, struct buf *out,
				  struct err *err)
{
	const struct cipher_job job = { alg, key, iv, plain, true, false };

	return cipher(c, &job, out, err);
}

enum result crypto_decrypt_blocks(struct crypto *c, enum cipher_alg alg, struct span key,
				  struct span iv, struct span cipher_text, struct buf *out,
				  struct err *err)
{
	const struct cipher_job job = { alg, key, iv, cipher_text, false, false };

	return cipher(c, &job, out, err);
}

static enum result derive(struct crypto *c, const char *name, const OSSL_PARAM *params,
			  uint8_t *out, size_t out_len, struct err *err)
{
	EVP_KDF *kdf = EVP_KDF_fetch(c->lib, name, NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool ok = ctx && EVP_KDF_derive(ctx, out, out_len, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok ? OK : crypto_fail(err, ERR_INTERNAL, name);
}

enum result crypto_pbkdf2(struct crypto *c, enum digest_alg prf, struct span password,
			  struct span salt, uint32_t iterations, uint8_t *out, size_t out_len,
			  struct err *err)
{
	unsigned int iter = iterations;
	int no_bounds = 1; /* of SP 800-132: what devices send must be opened */
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &no_bounds),
		crypto_param_octets(OSSL_KDF_PARAM_PASSWORD, password),
		crypto_param_octets(OSSL_KDF_PARAM_SALT, salt),
		OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_ITER, &iter),
		crypto_param_text(OSSL_KDF_PARAM_DIGEST, prf ? md_names[prf] : ""),
		OSSL_PARAM_construct_end(),
	};

	if (!crypto_md(c, prf))
		return err_set(err, ERR_BAD_ALG, "PBKDF2: digest %s is not available",
			       digest_name(prf));
	return derive(c, "PBKDF2", params, out, out_len, err);
}

/* NOLINTNEXTLINE(readability-function-size): as many parameters as RFC 7914 gives it */
enum result crypto_scrypt(struct crypto *c, struct span password, struct span salt, uint64_t n,
			  uint32_t r, uint32_t p, uint8_t *out, size_t out_len, struct err *err)
{
	unsigned int block = r, parallel = p;
	uint64_t max_mem = UINT64_C(1) << 30;
	const OSSL_PARAM params[] = {
		crypto_param_octets(OSSL_KDF_PARAM_PASSWORD, password),
		crypto_param_octets(OSSL_KDF_PARAM_SALT, salt),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
		OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_SCRYPT_R, &block),
		OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_SCRYPT_P, &parallel),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &max_mem),
		OSSL_PARAM_construct_end(),
	};

	return derive(c, "SCRYPT", params, out, out_len, err);
}

enum result crypto_hmac(struct crypto *c, enum digest_alg alg, struct span key, struct span data,
			uint8_t out[DIGEST_MAX], struct err *err)
{
	uint8_t value[EVP_MAX_MD_SIZE];
	EVP_MAC_CTX *ctx;
	OSSL_PARAM params[2];
	bool ok;

	if (!crypto_md(c, alg))
		return err_set(err, ERR_BAD_ALG, "HMAC: digest %s is not available",
			       digest_name(alg));
	params[0] = crypto_param_text(OSSL_MAC_PARAM_DIGEST, md_names[alg]);
	params[1] = OSSL_PARAM_construct_end();
	ctx = EVP_MAC_CTX_new(c->hmac);
	if (!key.p)
		key.p = (const uint8_t *)""; /* NULL would mean the key of before */
	ok = ctx && EVP_MAC_init(ctx, key.p, key.len, params) == 1 &&
	     EVP_MAC_update(ctx, data.p, data.len) == 1 &&
	     EVP_MAC_final(ctx, value, NULL, sizeof(value)) == 1;
	EVP_MAC_CTX_free(ctx);
	if (!ok)
		return crypto_fail(err, ERR_INTERNAL, "HMAC");
	memcpy(out, value, digest_size(alg));
	explicit_bzero(value, sizeof(value));
	return OK;
}
