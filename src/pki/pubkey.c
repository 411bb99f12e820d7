/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/pubkey.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "der/oid.h"
#include "pki/crypto_evp.h"
#include "pki/pubkey_evp.h"

#define RSA_BITS_MIN 1024
#define RSA_BITS_MAX 8192
#define RSA_EXPONENT_MAX 8 /* octets: a longer one would only serve to keep us busy */

struct pubkey {
	struct pubkey_info info;
	EVP_PKEY *pkey;
	/* kept for the key's next use, for it is dear to make: in SCEP a device's key checks two
	   signatures and encrypts */
	EVP_PKEY_CTX *ctx;
	enum digest_alg verifies; /* what ctx is prepared for; NONE: not to verify */
};

/* RSAPublicKey (RFC 8017 A.1.1): magnitudes without sign octet. */
struct rsa_parts {
	struct span n;
	struct span e;
};

struct curve {
	const struct span *oid;
	enum key_kind kind;
	unsigned bits;
	size_t point; /* octets of an uncompressed point */
	const char *group;
};

static const struct curve curves[] = {
	{ &OID_P256, KEY_EC_P256, 256, 65, "P-256" },
	{ &OID_P384, KEY_EC_P384, 384, 97, "P-384" },
	{ &OID_P521, KEY_EC_P521, 521, 133, "P-521" },
};

static enum result read_magnitude(struct der_reader *r, const char *what, struct span *out,
				  struct err *err)
{
	struct span v;

	TRY(der_read_integer(r, what, &v, err));
	if (v.p[0] & 0x80)
		return err_set(err, ERR_SYNTAX, "%s: negative", what);
	*out = v.p[0] == 0 ? span_sub(v, 1, SIZE_MAX) : v;
	return OK;
}

static unsigned bit_length(struct span magnitude)
{
	unsigned bits = (unsigned)magnitude.len * 8;

	if (magnitude.len == 0)
		return 0;
	return bits - (unsigned)(__builtin_clz(magnitude.p[0]) - 24);
}

static enum result read_rsa(struct span key, struct rsa_parts *out, struct err *err)
{
	struct der_reader r;

	TRY(der_read_whole(key, DER_SEQUENCE, "RSAPublicKey", &r, err));
	TRY(read_magnitude(&r, "RSAPublicKey.modulus", &out->n, err));
	TRY(read_magnitude(&r, "RSAPublicKey.publicExponent", &out->e, err));
	return der_end(&r, "RSAPublicKey", err);
}

static enum result inspect_rsa(struct der_reader *params, struct pubkey_info *info, struct err *err)
{
	struct rsa_parts rsa;
	struct der_tlv null;

	if (!der_at_end(params))
		TRY(der_read(params, DER_NULL, "rsaEncryption parameters", &null, err));
	TRY(read_rsa(info->key, &rsa, err));
	info->bits = rsa.n.len > RSA_BITS_MAX / 8 ? RSA_BITS_MAX + 1 : bit_length(rsa.n);
	if (info->bits < RSA_BITS_MIN || info->bits > RSA_BITS_MAX)
		return err_set(err, ERR_BAD_ALG, "RSA modulus of %zu octets: %d to %d bits taken",
			       rsa.n.len, RSA_BITS_MIN, RSA_BITS_MAX);
	if (!(rsa.n.p[rsa.n.len - 1] & 1))
		return err_set(err, ERR_BAD_ALG, "RSA modulus is even");
	if (rsa.e.len == 0 || rsa.e.len > RSA_EXPONENT_MAX || !(rsa.e.p[rsa.e.len - 1] & 1) ||
	    bit_length(rsa.e) < 2)
		return err_set(err, ERR_BAD_ALG, "RSA exponent is even, 1, or above 64 bits");
	return OK;
}

static enum result inspect_ec(struct der_reader *params, struct pubkey_info *info, struct err *err)
{
	struct span oid;
	size_t i;

	if (!der_peek(params, DER_OID))
		return err_set(err, ERR_BAD_ALG, "EC key: RFC 5480 2.1.1: only a namedCurve");
	TRY(der_read_oid(params, "EC namedCurve", &oid, err));
	for (i = 0; i < ARRAY_LEN(curves); i++)
		if (span_eq(oid, *curves[i].oid))
			break;
	if (i == ARRAY_LEN(curves))
		return err_set(err, ERR_BAD_ALG, "EC key: curve is none of P-256, P-384, P-521");
	if (info->key.len != curves[i].point || info->key.p[0] != 0x04)
		return err_set(err, ERR_BAD_ALG,
			       "EC key: %s point of %zu octets is not uncompressed",
			       curves[i].group, info->key.len);
	info->kind = curves[i].kind;
	info->bits = curves[i].bits;
	return OK;
}

/* A key that is the octets as they stand, without parameters (RFC 8410 4, RFC 9881 4). */
static enum result inspect_octets(struct der_reader *params, struct pubkey_info *info,
				  struct err *err)
{
	static const size_t sizes[KEY_KINDS_] = {
		[KEY_ED25519] = 32,
		[KEY_ML_DSA_44] = 1312,
		[KEY_ML_DSA_65] = 1952,
		[KEY_ML_DSA_87] = 2592,
	};

	(void)params;
	if (info->key.len != sizes[info->kind])
		return err_set(err, ERR_SYNTAX, "%s key of %zu octets, not %zu",
			       key_kind_name(info->kind), info->key.len, sizes[info->kind]);
	info->bits = (unsigned)info->key.len * 8;
	return OK;
}

static const struct {
	const struct span *oid;
	enum key_kind kind; /* of EC keys the curve says it */
	enum result (*inspect)(struct der_reader *params, struct pubkey_info *info,
			       struct err *err);
} algorithms[] = {
	{ &OID_RSA_ENCRYPTION, KEY_RSA, inspect_rsa },
	{ &OID_EC_PUBLIC_KEY, KEY_NONE, inspect_ec },
	{ &OID_ED25519, KEY_ED25519, inspect_octets },
	{ &OID_ML_DSA_44, KEY_ML_DSA_44, inspect_octets },
	{ &OID_ML_DSA_65, KEY_ML_DSA_65, inspect_octets },
	{ &OID_ML_DSA_87, KEY_ML_DSA_87, inspect_octets },
};

static enum result bad_algorithm(struct span oid, struct err *err)
{
	BUF text = BUF_INIT;

	oid_put_text(&text, oid);
	TRY(buf_check(&text, err));
	return err_set(err, ERR_BAD_ALG, "SubjectPublicKeyInfo: key algorithm %s is not supported",
		       buf_cstr(&text));
}

enum result pubkey_inspect(struct span spki, struct pubkey_info *out, struct err *err)
{
	static const char what[] = "SubjectPublicKeyInfo";
	struct pubkey_info info = { .spki = spki };
	struct der_reader r, alg;
	struct span oid;
	size_t i;

	TRY(der_read_whole(spki, DER_SEQUENCE, what, &r, err));
	TRY(der_enter(&r, DER_SEQUENCE, "SubjectPublicKeyInfo.algorithm", &alg, err));
	TRY(der_read_oid(&alg, "SubjectPublicKeyInfo.algorithm", &oid, err));
	TRY(der_read_bits(&r, "SubjectPublicKeyInfo.subjectPublicKey", &info.key, err));
	TRY(der_end(&r, what, err));
	for (i = 0; i < ARRAY_LEN(algorithms); i++)
		if (span_eq(oid, *algorithms[i].oid))
			break;
	if (i == ARRAY_LEN(algorithms))
		return bad_algorithm(oid, err);
	info.kind = algorithms[i].kind;
	TRY(algorithms[i].inspect(&alg, &info, err));
	TRY(der_end(&alg, "SubjectPublicKeyInfo.algorithm", err));
	*out = info;
	return OK;
}

bool pubkey_same(struct span a, struct span b)
{
	struct pubkey_info x, y;

	if (span_eq(a, b))
		return true;
	return pubkey_inspect(a, &x, NULL) == OK && pubkey_inspect(b, &y, NULL) == OK &&
	       x.kind == y.kind && span_eq(x.key, y.key);
}

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

static EVP_PKEY *import(struct crypto *c, enum key_kind kind, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = crypto_import_ctx(c, kind);
	EVP_PKEY *pkey = NULL;

	if (!ctx || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		return NULL;
	return pkey;
}

static EVP_PKEY *import_rsa(struct crypto *c, const struct pubkey_info *info)
{
	uint8_t n[RSA_BITS_MAX / 8], e[RSA_EXPONENT_MAX];
	struct rsa_parts rsa;
	OSSL_PARAM params[3];

	if (read_rsa(info->key, &rsa, NULL) != OK)
		return NULL;
	params[0] = native_integer(OSSL_PKEY_PARAM_RSA_N, rsa.n, n);
	params[1] = native_integer(OSSL_PKEY_PARAM_RSA_E, rsa.e, e);
	params[2] = OSSL_PARAM_construct_end();
	return import(c, KEY_RSA, params);
}

/* That the point lies on the curve is checked by the import. */
static EVP_PKEY *import_ec(struct crypto *c, const struct pubkey_info *info)
{
	OSSL_PARAM params[] = {
		crypto_param_text(OSSL_PKEY_PARAM_GROUP_NAME, key_kind_name(info->kind)),
		crypto_param_octets(OSSL_PKEY_PARAM_PUB_KEY, info->key),
		OSSL_PARAM_construct_end(),
	};

	return import(c, info->kind, params);
}

static EVP_PKEY *import_octets(struct crypto *c, const struct pubkey_info *info)
{
	OSSL_PARAM params[] = {
		crypto_param_octets(OSSL_PKEY_PARAM_PUB_KEY, info->key),
		OSSL_PARAM_construct_end(),
	};

	return import(c, info->kind, params);
}

static EVP_PKEY *make_pkey(struct crypto *c, const struct pubkey_info *info)
{
	if (info->kind == KEY_RSA)
		return import_rsa(c, info);
	return key_kind_is_ec(info->kind) ? import_ec(c, info) : import_octets(c, info);
}

enum result pubkey_new(struct pubkey **out, struct crypto *c, struct span spki, struct err *err)
{
	CLEANUP(pubkey_freep) struct pubkey *k = calloc(1, sizeof(*k));

	if (!k)
		return err_nomem(err);
	TRY(pubkey_inspect(spki, &k->info, err));
	k->pkey = make_pkey(c, &k->info);
	if (!k->pkey)
		return crypto_fail(err, ERR_BAD_ALG, "public key is not usable");
	*out = take(k);
	return OK;
}

void pubkey_free(struct pubkey *k)
{
	if (!k)
		return;
	EVP_PKEY_CTX_free(k->ctx);
	EVP_PKEY_free(k->pkey);
	free(k);
}

const struct pubkey_info *pubkey_info(const struct pubkey *k)
{
	return &k->info;
}

EVP_PKEY *pubkey_evp(struct pubkey *k)
{
	return k->pkey;
}

static enum result bad_signature(const struct pubkey *k, struct err *err)
{
	ERR_clear_error();
	return err_set(err, ERR_BAD_CHECK, "signature does not verify with the %s key",
		       key_kind_name(k->info.kind));
}

static bool has_ctx(struct pubkey *k, struct crypto *c)
{
	if (!k->ctx)
		k->ctx = EVP_PKEY_CTX_new_from_pkey(crypto_libctx(c), k->pkey, NULL);
	return k->ctx;
}

static enum result prepare_verify(struct pubkey *k, struct crypto *c, enum digest_alg digest,
				  struct err *err)
{
	if (k->ctx && k->verifies == digest)
		return OK;
	k->verifies = DIGEST_NONE;
	if (!has_ctx(k, c) || EVP_PKEY_verify_init(k->ctx) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(k->ctx, crypto_md(c, digest)) <= 0)
		return crypto_fail(err, ERR_BAD_ALG, digest_name(digest));
	k->verifies = digest;
	return OK;
}

/* A pure kind takes the message, not a digest of it. */
static enum result verify_message(struct pubkey *k, struct crypto *c, const struct span parts[2],
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
	     EVP_DigestVerifyInit_ex(ctx, NULL, NULL, crypto_libctx(c), NULL, k->pkey, NULL) == 1 &&
	     EVP_DigestVerify(ctx, signature.p, signature.len, joined.data, joined.len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? OK : bad_signature(k, err);
}

enum result pubkey_verify2(struct pubkey *k, struct crypto *c, struct sig_alg alg,
			   struct span part1, struct span part2, struct span signature,
			   struct err *err)
{
	const struct span parts[2] = { part1, part2 };
	uint8_t digest[DIGEST_MAX];

	if (!sig_alg_fits(alg, k->info.kind) || alg.pss)
		return err_set(
		    err, ERR_BAD_ALG, "the signature is said to be by %s with %s, the key is %s",
		    key_kind_name(alg.kind), digest_name(alg.digest), key_kind_name(k->info.kind));
	if (key_kind_is_pure(k->info.kind))
		return verify_message(k, c, parts, signature, err);
	TRY(crypto_digest(c, alg.digest, parts, 2, digest, err));
	TRY(prepare_verify(k, c, alg.digest, err));
	if (EVP_PKEY_verify(k->ctx, signature.p, signature.len, digest, digest_size(alg.digest)) !=
	    1)
		return bad_signature(k, err);
	return OK;
}

enum result pubkey_verify(struct pubkey *k, struct crypto *c, struct sig_alg alg,
			  struct span message, struct span signature, struct err *err)
{
	return pubkey_verify2(k, c, alg, message, SPAN_NONE, signature, err);
}

static bool set_padding(struct crypto *c, EVP_PKEY_CTX *ctx, const struct transport_alg *alg)
{
	const EVP_MD *md = crypto_md(c, alg->digest), *mgf = crypto_md(c, alg->mgf_digest);

	if (!alg->oaep)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
	return md && mgf && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) > 0 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf) > 0;
}

enum result pubkey_encrypt(struct pubkey *k, struct crypto *c, const struct transport_alg *alg,
			   struct span plain, struct buf *out, struct err *err)
{
	size_t before = out->len, len = (k->info.bits + 7) / 8;
	uint8_t *at;

	if (k->info.kind != KEY_RSA)
		return err_set(err, ERR_BAD_ALG, "a %s key cannot encrypt",
			       key_kind_name(k->info.kind));
	k->verifies = DIGEST_NONE;
	if (!has_ctx(k, c) || EVP_PKEY_encrypt_init(k->ctx) <= 0 || !set_padding(c, k->ctx, alg))
		return crypto_fail(err, ERR_BAD_ALG, "RSA key transport");
	at = buf_extend(out, len);
	if (!at)
		return err_nomem(err);
	if (EVP_PKEY_encrypt(k->ctx, at, &len, plain.p, plain.len) <= 0) {
		out->len = before;
		return crypto_fail(err, ERR_INTERNAL, "RSA key transport");
	}
	out->len = before + len;
	return OK;
}
