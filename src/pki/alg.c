/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/alg.h"

#include "der/oid.h"
#include "der/writer.h"

struct digest_row {
	const char *name;
	const struct span *oid;
	size_t size;
	bool legacy;
};

static const struct digest_row digests[] = {
	[DIGEST_NONE] = { "none", NULL, 0, false },
	[DIGEST_MD5] = { "MD5", &OID_MD5, 16, true },
	[DIGEST_SHA1] = { "SHA-1", &OID_SHA1, 20, true },
	[DIGEST_SHA256] = { "SHA-256", &OID_SHA256, 32, false },
	[DIGEST_SHA384] = { "SHA-384", &OID_SHA384, 48, false },
	[DIGEST_SHA512] = { "SHA-512", &OID_SHA512, 64, false },
};

struct cipher_row {
	const char *name;
	const struct span *oid;
	size_t key_size;
	size_t block_size;
	bool legacy;
};

static const struct cipher_row ciphers[] = {
	[CIPHER_NONE] = { "none", NULL, 0, 0, false },
	[CIPHER_DES_CBC] = { "DES-CBC", &OID_DES_CBC, 8, 8, true },
	[CIPHER_DES_EDE3_CBC] = { "DES-EDE3-CBC", &OID_DES_EDE3_CBC, 24, 8, true },
	[CIPHER_AES128_CBC] = { "AES-128-CBC", &OID_AES128_CBC, 16, 16, false },
	[CIPHER_AES192_CBC] = { "AES-192-CBC", &OID_AES192_CBC, 24, 16, false },
	[CIPHER_AES256_CBC] = { "AES-256-CBC", &OID_AES256_CBC, 32, 16, false },
};

struct kind_row {
	const char *name;
	enum digest_alg digest;
};

static const struct kind_row kinds[] = {
	[KEY_NONE] = { "none", DIGEST_NONE },
	[KEY_RSA] = { "RSA", DIGEST_SHA256 },
	[KEY_EC_P256] = { "P-256", DIGEST_SHA256 },
	[KEY_EC_P384] = { "P-384", DIGEST_SHA384 },
	[KEY_EC_P521] = { "P-521", DIGEST_SHA512 },
	[KEY_ED25519] = { "Ed25519", DIGEST_NONE },
	[KEY_ML_DSA_44] = { "ML-DSA-44", DIGEST_NONE },
	[KEY_ML_DSA_65] = { "ML-DSA-65", DIGEST_NONE },
	[KEY_ML_DSA_87] = { "ML-DSA-87", DIGEST_NONE },
};

/* The first row of a kind and digest is the one that is written. */
struct sig_row {
	const struct span *oid;
	struct sig_alg alg;
	bool null_params; /* RFC 4055 5: NULL with RSA; RFC 5758 3.2, RFC 8410 3, RFC 9881 2: absent
			   */
};

static const struct sig_row sigs[] = {
	{ &OID_SHA256_WITH_RSA, { KEY_RSA, DIGEST_SHA256 }, true },
	{ &OID_SHA384_WITH_RSA, { KEY_RSA, DIGEST_SHA384 }, true },
	{ &OID_SHA512_WITH_RSA, { KEY_RSA, DIGEST_SHA512 }, true },
	{ &OID_SHA1_WITH_RSA, { KEY_RSA, DIGEST_SHA1 }, true },
	{ &OID_MD5_WITH_RSA, { KEY_RSA, DIGEST_MD5 }, true },
	{ &OID_RSA_ENCRYPTION, { KEY_RSA, DIGEST_NONE }, true },
	{ &OID_ECDSA_SHA256, { KEY_EC_P256, DIGEST_SHA256 }, false },
	{ &OID_ECDSA_SHA384, { KEY_EC_P256, DIGEST_SHA384 }, false },
	{ &OID_ECDSA_SHA512, { KEY_EC_P256, DIGEST_SHA512 }, false },
	{ &OID_ECDSA_SHA1, { KEY_EC_P256, DIGEST_SHA1 }, false },
	{ &OID_EC_PUBLIC_KEY, { KEY_EC_P256, DIGEST_NONE }, false },
	{ &OID_ED25519, { KEY_ED25519, DIGEST_NONE }, false },
	{ &OID_ML_DSA_44, { KEY_ML_DSA_44, DIGEST_NONE }, false },
	{ &OID_ML_DSA_65, { KEY_ML_DSA_65, DIGEST_NONE }, false },
	{ &OID_ML_DSA_87, { KEY_ML_DSA_87, DIGEST_NONE }, false },
};

static const struct digest_row *digest_row(enum digest_alg alg)
{
	return &digests[(unsigned)alg < ARRAY_LEN(digests) ? alg : DIGEST_NONE];
}

static const struct cipher_row *cipher_row(enum cipher_alg alg)
{
	return &ciphers[(unsigned)alg < ARRAY_LEN(ciphers) ? alg : CIPHER_NONE];
}

static const struct kind_row *kind_row(enum key_kind kind)
{
	return &kinds[(unsigned)kind < ARRAY_LEN(kinds) ? kind : KEY_NONE];
}

const char *digest_name(enum digest_alg alg)
{
	return digest_row(alg)->name;
}

const char *cipher_name(enum cipher_alg alg)
{
	return cipher_row(alg)->name;
}

const char *key_kind_name(enum key_kind kind)
{
	return kind_row(kind)->name;
}

size_t digest_size(enum digest_alg alg)
{
	return digest_row(alg)->size;
}

size_t cipher_key_size(enum cipher_alg alg)
{
	return cipher_row(alg)->key_size;
}

size_t cipher_block_size(enum cipher_alg alg)
{
	return cipher_row(alg)->block_size;
}

bool digest_is_legacy(enum digest_alg alg)
{
	return digest_row(alg)->legacy;
}

bool cipher_is_legacy(enum cipher_alg alg)
{
	return cipher_row(alg)->legacy;
}

struct span digest_oid(enum digest_alg alg)
{
	const struct span *oid = digest_row(alg)->oid;

	return oid ? *oid : SPAN_NONE;
}

struct span cipher_oid(enum cipher_alg alg)
{
	const struct span *oid = cipher_row(alg)->oid;

	return oid ? *oid : SPAN_NONE;
}

struct sig_alg sig_alg_for(enum key_kind kind)
{
	return (struct sig_alg){ kind, kind_row(kind)->digest };
}

bool key_kind_is_ec(enum key_kind kind)
{
	return kind == KEY_EC_P256 || kind == KEY_EC_P384 || kind == KEY_EC_P521;
}

bool key_kind_is_ml_dsa(enum key_kind kind)
{
	return kind == KEY_ML_DSA_44 || kind == KEY_ML_DSA_65 || kind == KEY_ML_DSA_87;
}

bool key_kind_is_pure(enum key_kind kind)
{
	return kind == KEY_ED25519 || key_kind_is_ml_dsa(kind);
}

bool sig_alg_fits(struct sig_alg alg, enum key_kind kind)
{
	if (key_kind_is_ec(kind) ? !key_kind_is_ec(alg.kind) : alg.kind != kind)
		return false;
	if (alg.pss && kind != KEY_RSA)
		return false;
	return kind != KEY_NONE && key_kind_is_pure(kind) == (alg.digest == DIGEST_NONE);
}

static enum result unknown_oid(const char *what, struct span oid, struct err *err)
{
	BUF text = BUF_INIT;
	const char *known = oid_name(oid);

	oid_put_text(&text, oid);
	TRY(buf_check(&text, err));
	return err_set(err, ERR_BAD_ALG, "%s: algorithm %s (%s) is not supported", what,
		       buf_cstr(&text), known ? known : "unknown");
}

/* The two halves of an AlgorithmIdentifier; the reader *params holds what follows the OID. */
static enum result read_alg(struct der_reader *r, const char *what, struct span *oid,
			    struct der_reader *params, struct err *err)
{
	TRY(der_enter(r, DER_SEQUENCE, what, params, err));
	return der_read_oid(params, what, oid, err);
}

static enum result read_null_or_absent(struct der_reader *params, const char *what, struct err *err)
{
	struct der_tlv tlv;

	if (der_at_end(params))
		return OK;
	TRY(der_read(params, DER_NULL, what, &tlv, err));
	if (tlv.content.len != 0)
		return err_set(err, ERR_SYNTAX, "%s: NULL with content", what);
	return der_end(params, what, err);
}

enum result alg_read_digest(struct der_reader *r, const char *what, enum digest_alg *out,
			    struct err *err)
{
	struct der_reader params;
	struct span oid;
	size_t i;

	TRY(read_alg(r, what, &oid, &params, err));
	for (i = DIGEST_NONE + 1; i < ARRAY_LEN(digests); i++)
		if (span_eq(oid, *digests[i].oid)) {
			TRY(read_null_or_absent(&params, what, err));
			*out = (enum digest_alg)i;
			return OK;
		}
	return unknown_oid(what, oid, err);
}

enum result alg_read_sig(struct der_reader *r, const char *what, struct sig_alg *out,
			 struct err *err)
{
	struct der_reader params;
	struct span oid;
	size_t i;

	TRY(read_alg(r, what, &oid, &params, err));
	for (i = 0; i < ARRAY_LEN(sigs); i++)
		if (span_eq(oid, *sigs[i].oid)) {
			TRY(read_null_or_absent(&params, what, err));
			*out = sigs[i].alg;
			return OK;
		}
	return unknown_oid(what, oid, err);
}

enum result alg_parse_digest(struct span id, const char *what, enum digest_alg *out,
			     struct err *err)
{
	struct der_reader r;

	der_reader_init(&r, id);
	return alg_read_digest(&r, what, out, err);
}

enum result alg_parse_sig(struct span id, const char *what, struct sig_alg *out, struct err *err)
{
	struct der_reader r;

	der_reader_init(&r, id);
	return alg_read_sig(&r, what, out, err);
}

enum result alg_read_cipher(struct der_reader *r, const char *what, enum cipher_alg *out,
			    struct span *iv, struct err *err)
{
	struct der_reader params;
	struct der_tlv tlv;
	struct span oid;
	size_t i;

	TRY(read_alg(r, what, &oid, &params, err));
	for (i = CIPHER_NONE + 1; i < ARRAY_LEN(ciphers); i++)
		if (span_eq(oid, *ciphers[i].oid))
			break;
	if (i == ARRAY_LEN(ciphers))
		return unknown_oid(what, oid, err);
	TRY(der_read(&params, DER_OCTET_STRING, what, &tlv, err));
	TRY(der_end(&params, what, err));
	if (tlv.content.len != ciphers[i].block_size)
		return err_set(err, ERR_SYNTAX, "%s: IV of %zu octets where %s has %zu", what,
			       tlv.content.len, ciphers[i].name, ciphers[i].block_size);
	*out = (enum cipher_alg)i;
	*iv = tlv.content;
	return OK;
}

/* maskGenAlgorithm: MGF1 with a digest, the only one that there is (RFC 4055 2.2). */
static enum result read_mgf(struct der_reader *r, const char *what, enum digest_alg *out,
			    struct err *err)
{
	struct der_reader params;
	struct span oid;

	TRY(read_alg(r, what, &oid, &params, err));
	if (!span_eq(oid, OID_MGF1))
		return unknown_oid(what, oid, err);
	TRY(alg_read_digest(&params, what, out, err));
	return der_end(&params, what, err);
}

/* pSourceAlgorithm: only the empty label, as everyone sends it (RFC 4055 4.1). */
static enum result read_p_source(struct der_reader *r, const char *what, struct err *err)
{
	struct der_reader params;
	struct der_tlv label;
	struct span oid;

	TRY(read_alg(r, what, &oid, &params, err));
	if (!span_eq(oid, OID_P_SPECIFIED))
		return unknown_oid(what, oid, err);
	TRY(der_read(&params, DER_OCTET_STRING, what, &label, err));
	if (label.content.len != 0)
		return err_set(err, ERR_BAD_ALG, "%s: OAEP label of %zu octets where none is taken",
			       what, label.content.len);
	return der_end(&params, what, err);
}

/* RSAES-OAEP-params (RFC 8017 A.2.1): what is absent has its default, SHA-1. */
static enum result read_oaep(struct der_reader *r, const char *what, struct transport_alg *out,
			     struct err *err)
{
	struct transport_alg alg = { true, DIGEST_SHA1, DIGEST_SHA1 };
	struct der_reader params, field;

	if (!der_at_end(r)) {
		TRY(der_enter(r, DER_SEQUENCE, what, &params, err));
		if (der_peek(&params, DER_CONTEXT_CONS(0))) {
			TRY(der_enter(&params, DER_CONTEXT_CONS(0), what, &field, err));
			TRY(alg_read_digest(&field, what, &alg.digest, err));
			TRY(der_end(&field, what, err));
		}
		if (der_peek(&params, DER_CONTEXT_CONS(1))) {
			TRY(der_enter(&params, DER_CONTEXT_CONS(1), what, &field, err));
			TRY(read_mgf(&field, what, &alg.mgf_digest, err));
			TRY(der_end(&field, what, err));
		}
		if (der_peek(&params, DER_CONTEXT_CONS(2))) {
			TRY(der_enter(&params, DER_CONTEXT_CONS(2), what, &field, err));
			TRY(read_p_source(&field, what, err));
			TRY(der_end(&field, what, err));
		}
		TRY(der_end(&params, what, err));
		TRY(der_end(r, what, err));
	}
	*out = alg;
	return OK;
}

enum result alg_read_transport(struct der_reader *r, const char *what, struct transport_alg *out,
			       struct err *err)
{
	struct der_reader params;
	struct span oid;

	TRY(read_alg(r, what, &oid, &params, err));
	if (span_eq(oid, OID_RSAES_OAEP))
		return read_oaep(&params, what, out, err);
	if (!span_eq(oid, OID_RSA_ENCRYPTION))
		return unknown_oid(what, oid, err);
	TRY(read_null_or_absent(&params, what, err));
	*out = (struct transport_alg){ false, DIGEST_NONE, DIGEST_NONE };
	return OK;
}

static void put_alg(struct buf *out, struct span oid, bool null_params)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_oid(out, oid);
	if (null_params)
		der_put_null(out);
	der_close(out, seq);
}

void alg_put_digest(struct buf *out, enum digest_alg alg)
{
	/* RFC 5754 2: parameters of SHA-2 are absent; of MD5 and SHA-1 NULL, as ever. */
	put_alg(out, digest_oid(alg), digest_is_legacy(alg));
}

void alg_put_sig(struct buf *out, struct sig_alg alg)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(sigs) && !alg.pss; i++)
		if (sigs[i].alg.digest == alg.digest &&
		    (key_kind_is_ec(alg.kind) ? key_kind_is_ec(sigs[i].alg.kind)
					      : sigs[i].alg.kind == alg.kind)) {
			put_alg(out, *sigs[i].oid, sigs[i].null_params);
			return;
		}
	out->failed = true;
}

void alg_put_cms_sig(struct buf *out, struct sig_alg alg)
{
	if (alg.kind == KEY_RSA && !alg.pss)
		put_alg(out, OID_RSA_ENCRYPTION, true);
	else
		alg_put_sig(out, alg);
}

void alg_put_cipher(struct buf *out, enum cipher_alg alg, struct span iv)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_oid(out, cipher_oid(alg));
	der_put_octets(out, iv);
	der_close(out, seq);
}

static void put_oaep(struct buf *out, const struct transport_alg *alg)
{
	size_t params = der_open(out, DER_SEQUENCE), field, mgf;

	if (alg->digest != DIGEST_SHA1) {
		field = der_open(out, DER_CONTEXT_CONS(0));
		put_alg(out, digest_oid(alg->digest), true);
		der_close(out, field);
	}
	if (alg->mgf_digest != DIGEST_SHA1) {
		field = der_open(out, DER_CONTEXT_CONS(1));
		mgf = der_open(out, DER_SEQUENCE);
		der_put_oid(out, OID_MGF1);
		put_alg(out, digest_oid(alg->mgf_digest), true);
		der_close(out, mgf);
		der_close(out, field);
	}
	der_close(out, params);
}

void alg_put_transport(struct buf *out, const struct transport_alg *alg)
{
	size_t seq;

	if (!alg->oaep) {
		put_alg(out, OID_RSA_ENCRYPTION, true);
		return;
	}
	seq = der_open(out, DER_SEQUENCE);
	der_put_oid(out, OID_RSAES_OAEP);
	put_oaep(out, alg);
	der_close(out, seq);
}
