/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/key_wrap.h"

#include <openssl/err.h>
#include <openssl/kdf.h>

#include "der/oid.h"
#include "der/writer.h"
#include "pki/crypto_evp.h"

#define GROWS 8 /* octets, by the integrity check value */

static const struct {
	const struct span *oid;
	const char *name; /* OpenSSL's */
	size_t size;
} algs[] = {
	[WRAP_AES128] = { &OID_AES128_WRAP, "AES-128-WRAP", 16 },
	[WRAP_AES192] = { &OID_AES192_WRAP, "AES-192-WRAP", 24 },
	[WRAP_AES256] = { &OID_AES256_WRAP, "AES-256-WRAP", 32 },
};

size_t wrap_key_size(enum wrap_alg alg)
{
	return algs[alg].size;
}

enum wrap_alg wrap_alg_for(size_t key_size)
{
	size_t i;

	for (i = WRAP_AES128; i < ARRAY_LEN(algs); i++)
		if (algs[i].size == key_size)
			return (enum wrap_alg)i;
	return WRAP_NONE;
}

enum result wrap_alg_read(struct der_reader *r, const char *what, enum wrap_alg *out,
			  struct err *err)
{
	struct der_reader alg;
	struct span oid;
	size_t i;

	TRY(der_enter(r, DER_SEQUENCE, what, &alg, err));
	TRY(der_read_oid(&alg, what, &oid, err));
	for (i = WRAP_AES128; i < ARRAY_LEN(algs); i++)
		if (span_eq(oid, *algs[i].oid)) {
			*out = (enum wrap_alg)i;
			return OK;
		}
	return err_set(err, ERR_BAD_ALG, "%s: not AES key wrap (RFC 3565)", what);
}

void wrap_alg_put(struct buf *out, enum wrap_alg alg)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_oid(out, *algs[alg].oid);
	der_close(out, seq);
}

/* Into at; *len: what it became. */
static bool run(EVP_CIPHER *cipher, struct span kek, struct span in, bool wrap, uint8_t *at,
		size_t *len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last = 0;
	bool ok;

	if (ctx)
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ok = ctx && EVP_CipherInit_ex2(ctx, cipher, kek.p, NULL, wrap, NULL) == 1 &&
	     EVP_CipherUpdate(ctx, at, &n, in.p, (int)in.len) == 1 &&
	     EVP_CipherFinal_ex(ctx, at + n, &last) == 1;
	EVP_CIPHER_CTX_free(ctx);
	*len = (size_t)n + (size_t)last;
	return ok;
}

static RESULT convert(struct crypto *c, enum wrap_alg alg, struct span kek, struct span in,
		      bool wrap, struct buf *out, struct err *err)
{
	size_t before = out->len, len = 0;
	EVP_CIPHER *cipher;
	uint8_t *at;
	bool ok;

	if (alg == WRAP_NONE || kek.len != algs[alg].size || in.len % GROWS || in.len < 16 ||
	    in.len > 256)
		return err_set(err, ERR_BAD_CHECK, "RFC 3394: a key of %zu octets under one of %zu",
			       in.len, kek.len);
	at = buf_extend(out, in.len + GROWS);
	if (!at)
		return err_nomem(err);
	cipher = EVP_CIPHER_fetch(crypto_libctx(c), algs[alg].name, NULL);
	ok = cipher && run(cipher, kek, in, wrap, at, &len);
	EVP_CIPHER_free(cipher);
	out->len = before + (ok ? len : 0);
	if (ok)
		return OK;
	ERR_clear_error();
	return err_set(err, wrap ? ERR_INTERNAL : ERR_BAD_CHECK, "RFC 3394: %s",
		       wrap ? "the key cannot be wrapped"
			    : "the content key does not unwrap with this key");
}

enum result wrap_key(struct crypto *c, enum wrap_alg alg, struct span kek, struct span key,
		     struct buf *out, struct err *err)
{
	return convert(c, alg, kek, key, true, out, err);
}

enum result wrap_key_open(struct crypto *c, enum wrap_alg alg, struct span kek, struct span wrapped,
			  struct secret *out, struct err *err)
{
	BUF_SECRET key = BUF_INIT;

	TRY(convert(c, alg, kek, wrapped, false, &key, err));
	return secret_set(out, buf_span(&key), err);
}

enum result wrap_derive(struct crypto *c, struct span shared, struct span info, uint8_t *out,
			size_t out_len, struct err *err)
{
	const OSSL_PARAM params[] = {
		crypto_param_text(OSSL_KDF_PARAM_DIGEST, "SHA256"),
		crypto_param_octets(OSSL_KDF_PARAM_SECRET, shared),
		crypto_param_octets(OSSL_KDF_PARAM_INFO, info),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(crypto_libctx(c), "X963KDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool ok = ctx && EVP_KDF_derive(ctx, out, out_len, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok ? OK : crypto_fail(err, ERR_INTERNAL, "X9.63 key derivation");
}
