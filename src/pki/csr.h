/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#10 certification requests (RFC 2986) with the attributes that devices send. */
#ifndef PKI_CSR_H
#define PKI_CSR_H

#include "pki/ext.h"
#include "pki/key.h"

#define CSR_CHALLENGE_MAX 16384

struct csr {
	struct span der;
	struct span info;    /* CertificationRequestInfo with tag */
	struct span subject; /* Name with tag */
	struct span spki;
	struct span exts;       /* content of SEQUENCE OF Extension asked for; empty: none */
	uint8_t challenge_tag;  /* string type of challengePassword; 0: none */
	struct span challenge;  /* content octets as sent */
	struct span attrs;      /* content of attributes [0] */
	struct span sig_id;     /* signatureAlgorithm, whole */
	struct sig_alg sig_alg; /* kind KEY_NONE: unknown */
	struct span signature;
};

/*
 * Pure. Takes extensionRequest under the PKCS#9, the Microsoft and the old SCEP type; where several
 * are sent they must agree. An unknown signature algorithm is no error here: csr_verify names it.
 */
RESULT csr_parse(struct span der, struct csr *out, struct err *err);
/* Proof of possession: ERR_BAD_POP if the signature is not by the key asked for. */
RESULT csr_verify(const struct csr *csr, struct crypto *c, struct err *err);
/*
 * The same with the key at hand, which spares making it again. It must be the key asked for (its
 * SubjectPublicKeyInfo, which must still be there, is compared): ERR_BAD_POP if it is another.
 */
RESULT csr_verify_with(const struct csr *csr, struct crypto *c, struct pubkey *key,
		       struct err *err);
/* challengePassword as UTF-8 (UTF8, Printable, IA5, BMP or T61 string). ERR_NOT_FOUND if none. */
RESULT csr_challenge(const struct csr *csr, struct secret *out, struct err *err);

/*
 * The only value of an attribute, a string, as UTF-8. ERR_NOT_FOUND: the CSR has no such attribute.
 * what: its name, for errors.
 */
RESULT csr_text_attr(const struct csr *csr, struct span type, const char *what, struct secret *out,
		     struct err *err);

/* The only value of an attribute, whole. ERR_NOT_FOUND as above. */
RESULT csr_attr(const struct csr *csr, struct span type, const char *what, struct der_tlv *out,
		struct err *err);

struct csr_template {
	struct span subject;   /* Name DER */
	struct span exts;      /* whole Extensions one behind the other; may be empty */
	struct span challenge; /* UTF-8; may be empty */
	struct span attrs; /* more of them, whole Attributes one behind the other; may be empty */
};

RESULT csr_build(const struct csr_template *t, struct key *key, struct crypto *c, struct buf *out,
		 struct err *err);

#endif
