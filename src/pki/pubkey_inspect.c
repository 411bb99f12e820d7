/* SPDX-License-Identifier: Apache-2.0 */
#include "der/oid.h"
#include "pki/pubkey.h"
#include "pki/rsa_public.h"

#define RSA_BITS_MIN 1024

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

static unsigned bit_length(struct span magnitude)
{
	unsigned bits = (unsigned)magnitude.len * 8;

	if (magnitude.len == 0)
		return 0;
	return bits - (unsigned)(__builtin_clz(magnitude.p[0]) - 24);
}

static enum result inspect_rsa(struct der_reader *params, struct pubkey_info *info, struct err *err)
{
	struct rsa_parts rsa;
	struct der_tlv null;

	if (!der_at_end(params))
		TRY(der_read(params, DER_NULL, "rsaEncryption parameters", &null, err));
	TRY(rsa_public_read(info->key, &rsa, err));
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
