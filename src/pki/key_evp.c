/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/key_evp.h"

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/file.h"
#include "pki/crypto_evp.h"
#include "pki/key_file.h"
#include "pki/pkcs1.h"
#include "pki/pubkey_evp.h"

#define RSA_MAX 1024  /* octets of the largest modulus that pubkey_inspect takes */
#define AGREED_MAX 66 /* octets of a coordinate of P-521 */

struct key_evp {
	struct key base;
	struct crypto *crypto; /* the one that pkey was made in */
	EVP_PKEY *pkey;
	/* kept ready: a CA's or RA's key does the same thing a million times */
	EVP_PKEY_CTX *sign;
	struct sig_alg sign_alg;
	EVP_PKEY_CTX *decrypt;
	struct transport_alg transport;
};

static struct key_evp *of(struct key *k)
{
	return (struct key_evp *)k;
}

static bool set_pss(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static enum result prepare_sign(struct key_evp *k, struct crypto *c, struct sig_alg alg,
				struct err *err)
{
	CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL;

	if (k->sign && k->sign_alg.digest == alg.digest && k->sign_alg.pss == alg.pss)
		return OK;
	ctx = EVP_PKEY_CTX_new_from_pkey(crypto_libctx(c), k->pkey, NULL);
	if (!ctx || EVP_PKEY_sign_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, crypto_md(c, alg.digest)) <= 0 ||
	    (alg.pss && !set_pss(ctx)))
		return crypto_fail(err, ERR_BAD_ALG, digest_name(alg.digest));
	EVP_PKEY_CTX_free(k->sign);
	k->sign = take(ctx);
	k->sign_alg = alg;
	return OK;
}

/* A pure kind takes the message, not a digest of it. */
static bool sign_message(struct key_evp *k, struct crypto *c, struct span message, uint8_t *at,
			 size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	ok = ctx &&
	     EVP_DigestSignInit_ex(ctx, NULL, NULL, crypto_libctx(c), NULL, k->pkey, NULL) == 1 &&
	     EVP_DigestSign(ctx, at, len, message.p, message.len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* tbs: the digest, or for a pure kind the message. */
static enum result sign_tbs(struct key_evp *k, struct crypto *c, struct span tbs, struct buf *out,
			    struct err *err)
{
	size_t before = out->len, len = (size_t)EVP_PKEY_get_size(k->pkey);
	uint8_t *at = buf_extend(out, len);
	bool ok;

	if (!at)
		return err_nomem(err);
	if (key_kind_is_pure(k->base.kind))
		ok = sign_message(k, c, tbs, at, &len);
	else
		ok = EVP_PKEY_sign(k->sign, at, &len, tbs.p, tbs.len) == 1;
	if (!ok) {
		out->len = before;
		return crypto_fail(err, ERR_INTERNAL, "signing");
	}
	out->len = before + len;
	return OK;
}

static enum result evp_sign(struct key *key, struct crypto *c, UNUSED enum key_purpose purpose,
			    struct sig_alg alg, struct span message, struct buf *out,
			    struct err *err)
{
	uint8_t digest[DIGEST_MAX];

	if (key_kind_is_pure(key->kind))
		return sign_tbs(of(key), c, message, out, err);
	TRY(crypto_digest(c, alg.digest, &message, 1, digest, err));
	TRY(prepare_sign(of(key), c, alg, err));
	return sign_tbs(of(key), c, span_of(digest, digest_size(alg.digest)), out, err);
}

static enum result evp_sign_pieces(struct key *key, struct crypto *c,
				   UNUSED enum key_purpose purpose, struct sig_alg alg,
				   struct key_pieces *pieces, struct buf *out, struct err *err)
{
	uint8_t digest[DIGEST_MAX];
	BUF held = BUF_INIT;

	if (key_kind_is_pure(key->kind)) {
		TRY(key_pieces_hold(pieces, &held, err));
		return sign_tbs(of(key), c, buf_span(&held), out, err);
	}
	TRY(key_pieces_digest(pieces, c, alg.digest, digest, err));
	TRY(prepare_sign(of(key), c, alg, err));
	return sign_tbs(of(key), c, span_of(digest, digest_size(alg.digest)), out, err);
}

static bool set_padding(struct crypto *c, EVP_PKEY_CTX *ctx, const struct transport_alg *alg)
{
	const EVP_MD *md = crypto_md(c, alg->digest), *mgf = crypto_md(c, alg->mgf_digest);

	if (!alg->oaep)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0;
	return md && mgf && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) > 0 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf) > 0;
}

static bool same_transport(const struct transport_alg *a, const struct transport_alg *b)
{
	return a->oaep == b->oaep && a->digest == b->digest && a->mgf_digest == b->mgf_digest;
}

static enum result prepare_decrypt(struct key_evp *k, struct crypto *c,
				   const struct transport_alg *alg, struct err *err)
{
	CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL;

	if (k->decrypt && same_transport(&k->transport, alg))
		return OK;
	ctx = EVP_PKEY_CTX_new_from_pkey(crypto_libctx(c), k->pkey, NULL);
	if (!ctx || EVP_PKEY_decrypt_init(ctx) <= 0 || !set_padding(c, ctx, alg))
		return crypto_fail(err, ERR_BAD_ALG, "RSA key transport");
	EVP_PKEY_CTX_free(k->decrypt);
	k->decrypt = take(ctx);
	k->transport = *alg;
	return OK;
}

static enum result evp_decrypt(struct key *key, struct crypto *c, const struct transport_alg *alg,
			       struct span cipher, struct secret *out, struct err *err)
{
	struct key_evp *k = of(key);
	uint8_t plain[RSA_MAX];
	size_t len = sizeof(plain);
	enum result res;

	TRY(prepare_decrypt(k, c, alg, err));
	if (EVP_PKEY_decrypt(k->decrypt, plain, &len, cipher.p, cipher.len) <= 0) {
		ERR_clear_error();
		res = err_set(err, ERR_BAD_CHECK, "the content key does not decrypt");
	} else if (alg->oaep) {
		res = secret_set(out, span_of(plain, len), err);
	} else {
		res = pkcs1_open(span_of(plain, len), out, err);
	}
	explicit_bzero(plain, sizeof(plain));
	return res;
}

static void evp_free(struct key *key)
{
	struct key_evp *k = of(key);

	EVP_PKEY_CTX_free(k->sign);
	EVP_PKEY_CTX_free(k->decrypt);
	EVP_PKEY_free(k->pkey);
	free(k);
}

static const struct key_ops evp_ops = {
	.sign = evp_sign,
	.decrypt = evp_decrypt,
	.free = evp_free,
	.sign_pieces = evp_sign_pieces,
};

/* Takes pkey over where it succeeds. */
static enum result wrap(struct key **out, struct crypto *c, EVP_PKEY **pkey, struct err *err)
{
	struct pubkey_info info;
	struct key_evp *k;
	BUF spki = BUF_INIT;

	TRY(key_file_put_spki(*pkey, &spki, err));
	TRY(pubkey_inspect(buf_span(&spki), &info, err));
	k = calloc(1, sizeof(*k));
	if (!k)
		return err_nomem(err);
	k->base = (struct key){ &evp_ops, buf_take(&spki), info.kind, info.bits };
	k->crypto = c;
	k->pkey = take(*pkey);
	*out = &k->base;
	return OK;
}

static const struct {
	const char *text;
	struct key_spec spec;
} specs[] = {
	{ "rsa2048", { KEY_RSA, 2048 } },          { "rsa3072", { KEY_RSA, 3072 } },
	{ "rsa4096", { KEY_RSA, 4096 } },          { "p256", { KEY_EC_P256, 256 } },
	{ "p384", { KEY_EC_P384, 384 } },          { "p521", { KEY_EC_P521, 521 } },
	{ "ed25519", { KEY_ED25519, 256 } },       { "ml-dsa-44", { KEY_ML_DSA_44, 10496 } },
	{ "ml-dsa-65", { KEY_ML_DSA_65, 15616 } }, { "ml-dsa-87", { KEY_ML_DSA_87, 20736 } },
};

enum result key_spec_parse(const char *text, struct key_spec *out, struct err *err)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(specs); i++)
		if (strcmp(text, specs[i].text) == 0) {
			*out = specs[i].spec;
			return OK;
		}
	return err_set(err, ERR_USAGE,
		       "key \"%s\": known are rsa2048, rsa3072, rsa4096, p256, p384, p521, "
		       "ed25519, ml-dsa-44, ml-dsa-65, ml-dsa-87",
		       text);
}

enum result key_evp_generate(struct key **out, struct crypto *c, struct key_spec spec,
			     struct err *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;
	OSSL_LIB_CTX *lib = crypto_libctx(c);

	if (!crypto_import_ctx(c, spec.kind))
		return err_set(err, ERR_BAD_ALG, "%s keys are not known to this OpenSSL%s",
			       key_kind_name(spec.kind),
			       key_kind_is_ml_dsa(spec.kind) ? ": they take 3.5 or later" : "");
	if (spec.kind == KEY_RSA)
		pkey = EVP_PKEY_Q_keygen(lib, NULL, "RSA", (size_t)spec.bits);
	else if (key_kind_is_ec(spec.kind))
		pkey = EVP_PKEY_Q_keygen(lib, NULL, "EC", key_kind_name(spec.kind));
	else
		pkey = EVP_PKEY_Q_keygen(lib, NULL, key_kind_name(spec.kind));
	if (!pkey)
		return crypto_fail(err, ERR_BAD_ALG, "key generation");
	return wrap(out, c, &pkey, err);
}

enum result key_evp_from_bytes(struct key **out, struct crypto *c, struct span pem_or_der,
			       const struct secret *passphrase, struct err *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;

	TRY(key_file_read(&pkey, c, pem_or_der, passphrase, err));
	return wrap(out, c, &pkey, err);
}

enum result key_evp_load(struct key **out, struct crypto *c, const char *path,
			 const struct secret *passphrase, struct err *err)
{
	BUF_SECRET file = BUF_INIT;

	TRY(file_read(path, KEY_FILE_MAX, &file, err));
	return err_prefix(err, key_evp_from_bytes(out, c, buf_span(&file), passphrase, err), "%s",
			  path);
}

enum result key_evp_export(struct key *k, const struct secret *passphrase, struct buf *pem,
			   struct err *err)
{
	if (k->ops != &evp_ops)
		return err_set(err, ERR_DENIED, "this private key cannot leave its back end");
	return key_file_put_pem(of(k)->pkey, of(k)->crypto, passphrase, pem, err);
}

enum result key_evp_copy(struct key **out, struct crypto *c, const struct key *from,
			 struct err *err)
{
	BUF_SECRET der = BUF_INIT;

	if (from->ops != &evp_ops)
		return err_set(err, ERR_DENIED, "this private key cannot leave its back end");
	TRY(key_file_put_der(((const struct key_evp *)from)->pkey, &der, err));
	return key_evp_from_bytes(out, c, buf_span(&der), NULL, err);
}

static bool derive(EVP_PKEY_CTX *ctx, EVP_PKEY *peer, uint8_t *at, size_t *len)
{
	return ctx && EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
	       EVP_PKEY_derive(ctx, at, len) > 0;
}

enum result key_evp_agree(struct key *k, struct crypto *c, struct span peer_spki,
			  struct secret *out, struct err *err)
{
	CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL;
	CLEANUP(pubkey_freep) struct pubkey *peer = NULL;
	uint8_t shared[AGREED_MAX];
	size_t len = sizeof(shared);
	enum result r;

	if (k->ops != &evp_ops)
		return err_set(err, ERR_DENIED, "this private key agrees on nothing");
	TRY(pubkey_new(&peer, c, peer_spki, err));
	if (!key_kind_is_ec(k->kind) || pubkey_info(peer)->kind != k->kind)
		return err_set(err, ERR_BAD_ALG, "ECDH of a %s key and a %s key",
			       key_kind_name(k->kind), key_kind_name(pubkey_info(peer)->kind));
	ctx = EVP_PKEY_CTX_new_from_pkey(crypto_libctx(c), of(k)->pkey, NULL);
	r = derive(ctx, pubkey_evp(peer), shared, &len) ? secret_set(out, span_of(shared, len), err)
							: crypto_fail(err, ERR_INTERNAL, "ECDH");
	explicit_bzero(shared, sizeof(shared));
	return r;
}
