/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The algorithms Scepter speaks, as enums, with their OIDs and AlgorithmIdentifiers. Pure.
 * Whether one is allowed is the caller's policy: alg_is_legacy() says what needs the endpoint's
 * `legacy` switch (SHA-1, 3DES; MD5 and DES where the library still has them).
 */
#ifndef PKI_ALG_H
#define PKI_ALG_H

#include "base/buf.h"
#include "der/reader.h"

enum digest_alg {
	DIGEST_NONE,
	DIGEST_MD5,
	DIGEST_SHA1,
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512
};
#define DIGEST_MAX 64

enum cipher_alg {
	CIPHER_NONE,
	CIPHER_DES_CBC,
	CIPHER_DES_EDE3_CBC,
	CIPHER_AES128_CBC,
	CIPHER_AES192_CBC,
	CIPHER_AES256_CBC,
};

enum key_kind {
	KEY_NONE,
	KEY_RSA,
	KEY_EC_P256,
	KEY_EC_P384,
	KEY_EC_P521,
	KEY_ED25519,
	/* FIPS 204, of which the library knows from OpenSSL 3.5 on */
	KEY_ML_DSA_44,
	KEY_ML_DSA_65,
	KEY_ML_DSA_87,
	KEY_KINDS_ /* their number */
};

/* How a signature is made: the key's kind and a digest (DIGEST_NONE for pure kinds). */
struct sig_alg {
	enum key_kind kind; /* KEY_RSA: PKCS#1 v1.5; any KEY_EC_*: ECDSA, whatever the curve */
	enum digest_alg digest;
	/* RSA only: RSASSA-PSS with a salt as long as the digest. A key signs so for TLS 1.3; no
	   message of ours carries it: it is neither read, written nor verified here. */
	bool pss;
};

/* RSA key transport: PKCS#1 v1.5, or OAEP with this digest for hash and MGF1 (RFC 8017). */
struct transport_alg {
	bool oaep;
	enum digest_alg digest;     /* OAEP only */
	enum digest_alg mgf_digest; /* OAEP only */
};

const char *digest_name(enum digest_alg alg);  /* "SHA-256" */
const char *cipher_name(enum cipher_alg alg);  /* "AES-256-CBC" */
const char *key_kind_name(enum key_kind kind); /* "RSA", "P-256" ... */
size_t digest_size(enum digest_alg alg);
size_t cipher_key_size(enum cipher_alg alg);
size_t cipher_block_size(enum cipher_alg alg);
bool digest_is_legacy(enum digest_alg alg);
bool cipher_is_legacy(enum cipher_alg alg);
/* The digest that fits the key: P-384 SHA-384, P-521 SHA-512, pure kinds none, else SHA-256. */
struct sig_alg sig_alg_for(enum key_kind kind);
bool key_kind_is_ec(enum key_kind kind);
bool key_kind_is_ml_dsa(enum key_kind kind);
/* Is a message signed itself, rather than a digest of it: Ed25519 (RFC 8410), ML-DSA (RFC 9881)? */
bool key_kind_is_pure(enum key_kind kind);
/* Can a key of this kind make such a signature? The OID of ECDSA does not name the curve. */
bool sig_alg_fits(struct sig_alg alg, enum key_kind kind);

struct span digest_oid(enum digest_alg alg);
struct span cipher_oid(enum cipher_alg alg);

/*
 * AlgorithmIdentifiers. Readers take parameters absent or NULL where the field sends both;
 * unknown: ERR_BAD_ALG naming the OID.
 */
RESULT alg_read_digest(struct der_reader *r, const char *what, enum digest_alg *out,
		       struct err *err);
/*
 * signatureAlgorithm of certificates, CSRs, CRLs and of SignerInfo, where rsaEncryption or
 * id-ecPublicKey stand for the key alone: they give DIGEST_NONE. ECDSA gives KEY_EC_P256.
 */
RESULT alg_read_sig(struct der_reader *r, const char *what, struct sig_alg *out, struct err *err);
/* The same from a whole AlgorithmIdentifier that was kept. */
RESULT alg_parse_digest(struct span id, const char *what, enum digest_alg *out, struct err *err);
RESULT alg_parse_sig(struct span id, const char *what, struct sig_alg *out, struct err *err);
/* contentEncryptionAlgorithm with its IV. */
RESULT alg_read_cipher(struct der_reader *r, const char *what, enum cipher_alg *out,
		       struct span *iv, struct err *err);
/* keyEncryptionAlgorithm of KeyTransRecipientInfo. */
RESULT alg_read_transport(struct der_reader *r, const char *what, struct transport_alg *out,
			  struct err *err);
void alg_put_digest(struct buf *out, enum digest_alg alg);
/* What there is no AlgorithmIdentifier for marks out as failed. */
void alg_put_sig(struct buf *out, struct sig_alg alg);
/* As CMS SignerInfo wants it for the widest reach: rsaEncryption for RSA, else as alg_put_sig. */
void alg_put_cms_sig(struct buf *out, struct sig_alg alg);
void alg_put_cipher(struct buf *out, enum cipher_alg alg, struct span iv);
void alg_put_transport(struct buf *out, const struct transport_alg *alg);

#endif
