/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "pki/crypto_evp.h"

struct crypto_hash {
	EVP_MD_CTX *ctx;
	enum digest_alg alg;
};

void crypto_hash_free(struct crypto_hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

enum result crypto_hash_new(struct crypto_hash **out, struct crypto *c, enum digest_alg alg,
			    struct err *err)
{
	CLEANUP(crypto_hash_freep) struct crypto_hash *h = NULL;
	const EVP_MD *md = crypto_md(c, alg);

	if (!md)
		return err_set(err, ERR_BAD_ALG, "digest %s is not available", digest_name(alg));
	h = calloc(1, sizeof(*h));
	if (!h)
		return err_nomem(err);
	h->alg = alg;
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx)
		return err_nomem(err);
	if (EVP_DigestInit_ex2(h->ctx, md, NULL) != 1)
		return crypto_fail(err, ERR_INTERNAL, digest_name(alg));
	*out = take(h);
	return OK;
}

enum result crypto_hash_add(struct crypto_hash *h, struct span bytes, struct err *err)
{
	if (EVP_DigestUpdate(h->ctx, bytes.p, bytes.len) != 1)
		return crypto_fail(err, ERR_INTERNAL, digest_name(h->alg));
	return OK;
}

enum result crypto_hash_end(struct crypto_hash *h, uint8_t out[DIGEST_MAX], struct err *err)
{
	uint8_t value[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(h->ctx, value, NULL) != 1)
		return crypto_fail(err, ERR_INTERNAL, digest_name(h->alg));
	memcpy(out, value, digest_size(h->alg));
	return OK;
}
