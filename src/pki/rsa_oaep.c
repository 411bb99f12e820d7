/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/rsa_oaep.h"

#include <openssl/rsa.h>

#include "pki/crypto_evp.h"

/* OpenSSL takes integers in the machine's own byte order. */
static OSSL_PARAM native_integer(const char *name, struct span magnitude, uint8_t *room)
{
	size_t i;

	for (i = 0; i < magnitude.len; i++)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		room[i] = magnitude.p[magnitude.len - 1 - i];
#else
		room[i] = magnitude.p[i];
#endif
	return OSSL_PARAM_construct_BN(name, room, magnitude.len);
}

static EVP_PKEY *import(struct crypto *c, const struct rsa_parts *parts)
{
	EVP_PKEY_CTX *ctx = crypto_import_ctx(c, KEY_RSA);
	uint8_t n[RSA_BITS_MAX / 8], e[RSA_EXPONENT_MAX];
	OSSL_PARAM params[] = {
		native_integer(OSSL_PKEY_PARAM_RSA_N, parts->n, n),
		native_integer(OSSL_PKEY_PARAM_RSA_E, parts->e, e),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *pkey = NULL;

	if (!ctx || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		return NULL;
	return pkey;
}

static bool prepare(struct crypto *c, EVP_PKEY_CTX *ctx, const struct transport_alg *alg)
{
	const EVP_MD *md = crypto_md(c, alg->digest), *mgf = crypto_md(c, alg->mgf_digest);

	return ctx && md && mgf && EVP_PKEY_encrypt_init(ctx) > 0 &&
	       EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) > 0 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf) > 0;
}

static RESULT encrypt(EVP_PKEY_CTX *ctx, size_t size, struct span plain, struct buf *out,
		      struct err *err)
{
	size_t before = out->len, len = size;
	uint8_t *at = buf_extend(out, size);

	if (!at)
		return err_nomem(err);
	if (EVP_PKEY_encrypt(ctx, at, &len, plain.p, plain.len) > 0)
		return OK;
	out->len = before;
	return crypto_fail(err, ERR_INTERNAL, "RSA-OAEP");
}

enum result rsa_oaep_encrypt(struct crypto *c, const struct rsa_parts *parts,
			     const struct transport_alg *alg, struct span plain, struct buf *out,
			     struct err *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = import(c, parts);
	CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL;

	if (pkey)
		ctx = EVP_PKEY_CTX_new_from_pkey(crypto_libctx(c), pkey, NULL);
	if (!prepare(c, ctx, alg))
		return crypto_fail(err, ERR_BAD_ALG, "RSA-OAEP");
	return encrypt(ctx, parts->n.len, plain, out, err);
}
