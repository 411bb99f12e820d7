/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates (RFC 5280). A parsed one is a view: its spans point into the DER that it was read
 * from. Reading is lenient where devices are (odd extensions, v1), strict in structure.
 */
#ifndef PKI_CERT_H
#define PKI_CERT_H

#include "pki/ext.h"
#include "pki/key.h"

struct cert {
	struct span der;    /* the whole certificate; empty after cert_parse_tbs */
	struct span tbs;    /* TBSCertificate with tag */
	int version;        /* 1, 2 or 3 */
	struct span serial; /* INTEGER content octets */
	struct span sig_id; /* TBSCertificate.signature, whole */
	struct sig_alg sig_alg;
	struct span issuer;   /* Name with tag */
	struct span validity; /* content: the two times as encoded */
	int64_t not_before;
	int64_t not_after;
	struct span subject; /* Name with tag */
	struct span spki;    /* with tag */
	bool has_unique_ids; /* issuerUniqueID or subjectUniqueID, which nothing else looks at */
	struct span exts;    /* content of SEQUENCE OF Extension; empty: none */
	struct span signature;
};

/* Pure. An unknown signature algorithm is no error here (sig_alg.kind = KEY_NONE). */
RESULT cert_parse(struct span der, struct cert *out, struct err *err);
/* A TBSCertificate alone: der and signature are left empty. For who is asked to sign one. */
RESULT cert_parse_tbs(struct span tbs, struct cert *out, struct err *err);

/* Is cert signed with the key spki? ERR_BAD_CHECK if not. */
RESULT cert_verify_signature(const struct cert *cert, struct crypto *c, struct span spki,
			     struct err *err);
RESULT cert_verify_with(const struct cert *cert, struct crypto *c, struct pubkey *issuer,
			struct err *err);
bool cert_is_self_issued(const struct cert *cert);
bool cert_is_ca(const struct cert *cert);
/* RFC 5280 4.2.1.2 method 1: SHA-1 of the public key's bits. */
RESULT cert_key_id(struct crypto *c, struct span spki, uint8_t out[20], struct err *err);
/* The subjectKeyIdentifier extension; empty if it has none. */
struct span cert_ski(const struct cert *cert);
RESULT cert_fingerprint(struct crypto *c, struct span der, enum digest_alg alg,
			uint8_t out[DIGEST_MAX], struct err *err);

/* What a certificate is made of. All spans borrowed. */
struct cert_template {
	struct span serial;     /* positive magnitude, 1..20 octets */
	struct sig_alg sig_alg; /* of the issuer */
	struct span issuer;     /* Name DER */
	int64_t not_before;
	int64_t not_after;
	struct span subject; /* Name DER */
	struct span spki;
	struct span exts; /* whole Extensions one behind the other; empty: v1-style none */
};

/* TBSCertificate, v3. */
RESULT cert_build_tbs(const struct cert_template *t, struct buf *out, struct err *err);
/* SEQUENCE { tbs, sigAlg, signature }: for certificates, CSRs and CRLs alike. */
RESULT cert_assemble(struct span tbs, struct sig_alg alg, struct span signature, struct buf *out,
		     struct err *err);
/* Build, sign (KEY_FOR_CERTIFICATE), assemble. */
RESULT cert_issue(const struct cert_template *t, struct key *issuer, struct crypto *c,
		  struct buf *out, struct err *err);

/* What a device says in a certificate of its own. */
struct cert_self {
	struct span subject; /* Name DER */
	int64_t not_before;
	int64_t not_after;
};
/*
 * Self-signed with the device's own key, for SCEP's outer signature (RFC 8894 2.3): subject as in
 * the CSR, a random serial, keyUsage digitalSignature and, for RSA, keyEncipherment.
 */
RESULT cert_self_signed(const struct cert_self *t, struct key *key, struct crypto *c,
			struct buf *out, struct err *err);

/* First certificate of PEM, or DER, into out as DER. */
RESULT cert_load(const char *path, struct buf *out, struct err *err);

#endif
