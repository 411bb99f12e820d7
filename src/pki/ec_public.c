/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/ec_public.h"

#include <stdlib.h>

struct ec_public {
	struct crypto *crypto;
	enum key_kind kind;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *verify;     /* NULL: none was needed yet */
	enum digest_alg verifies; /* what that is prepared for */
};

/* That the point lies on the curve is checked by the import, and whenever it is set. */
static bool import(struct ec_public *k, struct span point)
{
	EVP_PKEY_CTX *ctx = crypto_import_ctx(k->crypto, k->kind);
	OSSL_PARAM params[] = {
		crypto_param_text(OSSL_PKEY_PARAM_GROUP_NAME, key_kind_name(k->kind)),
		crypto_param_octets(OSSL_PKEY_PARAM_PUB_KEY, point),
		OSSL_PARAM_construct_end(),
	};

	return ctx && EVP_PKEY_fromdata(ctx, &k->pkey, EVP_PKEY_PUBLIC_KEY, params) > 0;
}

static bool set_point(struct ec_public *k, struct span point)
{
	if (k->pkey)
		return EVP_PKEY_set1_encoded_public_key(k->pkey, point.p, point.len) > 0;
	return import(k, point);
}

static RESULT take_or_make(struct ec_public **out, struct crypto *c, enum key_kind kind,
			   struct err *err)
{
	struct ec_public **spare = crypto_spare_ec(c, kind);
	struct ec_public *k = *spare;

	*spare = NULL;
	if (!k) {
		k = calloc(1, sizeof(*k));
		if (!k)
			return err_nomem(err);
		k->crypto = c;
		k->kind = kind;
	}
	*out = k;
	return OK;
}

enum result ec_public_new(struct ec_public **out, struct crypto *c, enum key_kind kind,
			  struct span point, struct err *err)
{
	CLEANUP(ec_public_freep) struct ec_public *k = NULL;

	TRY(take_or_make(&k, c, kind, err));
	if (!set_point(k, point))
		return crypto_fail(err, ERR_BAD_ALG, "public key is not usable");
	*out = take(k);
	return OK;
}

void ec_public_free(struct ec_public *k)
{
	struct ec_public **spare;

	if (!k)
		return;
	spare = crypto_spare_ec(k->crypto, k->kind);
	if (k->pkey && !*spare)
		*spare = k;
	else
		ec_public_destroy(k);
}

void ec_public_destroy(struct ec_public *k)
{
	if (!k)
		return;
	EVP_PKEY_CTX_free(k->verify);
	EVP_PKEY_free(k->pkey);
	free(k);
}

static RESULT prepare(struct ec_public *k, enum digest_alg alg, struct err *err)
{
	if (k->verify && k->verifies == alg)
		return OK;
	k->verifies = DIGEST_NONE;
	if (!k->verify)
		k->verify = EVP_PKEY_CTX_new_from_pkey(crypto_libctx(k->crypto), k->pkey, NULL);
	if (!k->verify || EVP_PKEY_verify_init(k->verify) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(k->verify, crypto_md(k->crypto, alg)) <= 0)
		return crypto_fail(err, ERR_BAD_ALG, digest_name(alg));
	k->verifies = alg;
	return OK;
}

enum result ec_public_verify(struct ec_public *k, enum digest_alg alg, struct span digest,
			     struct span signature, struct err *err)
{
	TRY(prepare(k, alg, err));
	if (EVP_PKEY_verify(k->verify, signature.p, signature.len, digest.p, digest.len) != 1)
		return crypto_fail(err, ERR_BAD_CHECK, "ECDSA signature does not verify");
	return OK;
}

EVP_PKEY *ec_public_pkey(struct ec_public *k)
{
	return k->pkey;
}
