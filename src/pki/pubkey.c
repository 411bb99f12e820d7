/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/pubkey.h"

#include <stdlib.h>

#include "pki/ec_public.h"
#include "pki/pubkey_evp.h"
#include "pki/rsa_oaep.h"
#include "pki/rsa_public.h"

struct pubkey {
	struct pubkey_info info;
	struct rsa_public *rsa; /* one of the three by its kind */
	struct ec_public *ec;
	EVP_PKEY *octets;
};

/* ---- making ---- */

static RESULT import_octets(struct pubkey *k, struct crypto *c, struct err *err)
{
	EVP_PKEY_CTX *ctx = crypto_import_ctx(c, k->info.kind);
	OSSL_PARAM params[] = {
		crypto_param_octets(OSSL_PKEY_PARAM_PUB_KEY, k->info.key),
		OSSL_PARAM_construct_end(),
	};

	if (!ctx || EVP_PKEY_fromdata(ctx, &k->octets, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		return crypto_fail(err, ERR_BAD_ALG, "public key is not usable");
	return OK;
}

static RESULT make(struct pubkey *k, struct crypto *c, struct err *err)
{
	struct rsa_parts parts;

	if (key_kind_is_ec(k->info.kind))
		return ec_public_new(&k->ec, c, k->info.kind, k->info.key, err);
	if (k->info.kind != KEY_RSA)
		return import_octets(k, c, err);
	TRY(rsa_public_read(k->info.key, &parts, err));
	return rsa_public_new(&k->rsa, c, &parts, err);
}

enum result pubkey_new(struct pubkey **out, struct crypto *c, struct span spki, struct err *err)
{
	CLEANUP(pubkey_freep) struct pubkey *k = calloc(1, sizeof(*k));

	if (!k)
		return err_nomem(err);
	TRY(pubkey_inspect(spki, &k->info, err));
	TRY(make(k, c, err));
	*out = take(k);
	return OK;
}

void pubkey_free(struct pubkey *k)
{
	if (!k)
		return;
	rsa_public_free(k->rsa);
	ec_public_free(k->ec);
	EVP_PKEY_free(k->octets);
	free(k);
}

const struct pubkey_info *pubkey_info(const struct pubkey *k)
{
	return &k->info;
}

EVP_PKEY *pubkey_evp(struct pubkey *k)
{
	return k->ec ? ec_public_pkey(k->ec) : NULL;
}

/* ---- verifying ---- */

/* A pure kind takes the message, not a digest of it. */
static RESULT verify_message(struct pubkey *k, struct crypto *c, const struct span parts[2],
			     struct span signature, struct err *err)
{
	BUF joined = BUF_INIT;
	EVP_MD_CTX *ctx;
	bool ok;

	buf_put(&joined, parts[0]);
	buf_put(&joined, parts[1]);
	TRY(buf_check(&joined, err));
	ctx = EVP_MD_CTX_new();
	ok = ctx &&
	     EVP_DigestVerifyInit_ex(ctx, NULL, NULL, crypto_libctx(c), NULL, k->octets, NULL) ==
		 1 &&
	     EVP_DigestVerify(ctx, signature.p, signature.len, joined.data, joined.len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? OK : crypto_fail(err, ERR_BAD_CHECK, "signature does not verify");
}

static RESULT verify_digest(struct pubkey *k, enum digest_alg alg, struct span digest,
			    struct span signature, struct err *err)
{
	if (k->rsa)
		return rsa_public_verify(k->rsa, alg, digest, signature, err);
	return ec_public_verify(k->ec, alg, digest, signature, err);
}

enum result pubkey_verify2(struct pubkey *k, struct crypto *c, struct sig_alg alg,
			   struct span part1, struct span part2, struct span signature,
			   struct err *err)
{
	const struct span parts[2] = { part1, part2 };
	uint8_t digest[DIGEST_MAX];
	enum result r;

	if (!sig_alg_fits(alg, k->info.kind) || alg.pss)
		return err_set(
		    err, ERR_BAD_ALG, "the signature is said to be by %s with %s, the key is %s",
		    key_kind_name(alg.kind), digest_name(alg.digest), key_kind_name(k->info.kind));
	if (key_kind_is_pure(k->info.kind)) {
		r = verify_message(k, c, parts, signature, err);
	} else {
		TRY(crypto_digest(c, alg.digest, parts, 2, digest, err));
		r = verify_digest(k, alg.digest, span_of(digest, digest_size(alg.digest)),
				  signature, err);
	}
	if (r != ERR_BAD_CHECK)
		return r;
	return err_set(err, ERR_BAD_CHECK, "signature does not verify with the %s key",
		       key_kind_name(k->info.kind));
}

enum result pubkey_verify(struct pubkey *k, struct crypto *c, struct sig_alg alg,
			  struct span message, struct span signature, struct err *err)
{
	return pubkey_verify2(k, c, alg, message, SPAN_NONE, signature, err);
}

/* ---- encrypting ---- */

static RESULT encrypt_oaep(const struct pubkey *k, struct crypto *c,
			   const struct transport_alg *alg, struct span plain, struct buf *out,
			   struct err *err)
{
	struct rsa_parts parts;

	TRY(rsa_public_read(k->info.key, &parts, err));
	return rsa_oaep_encrypt(c, &parts, alg, plain, out, err);
}

enum result pubkey_encrypt(struct pubkey *k, struct crypto *c, const struct transport_alg *alg,
			   struct span plain, struct buf *out, struct err *err)
{
	if (!k->rsa)
		return err_set(err, ERR_BAD_ALG, "a %s key cannot encrypt",
			       key_kind_name(k->info.kind));
	if (alg->oaep)
		return encrypt_oaep(k, c, alg, plain, out, err);
	return rsa_public_encrypt(k->rsa, plain, out, err);
}
