/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CMS EnvelopedData (RFC 5652 6): RSA key transport (PKCS#1 v1.5, OAEP), ECDH key agreement (RFC
 * 5753), a key that is shared beforehand, and PasswordRecipientInfo (RFC 3211 key wrap under
 * PBKDF2) for devices whose key cannot decrypt.
 */
#ifndef PKI_CMS_ENVELOPED_H
#define PKI_CMS_ENVELOPED_H

#include "pki/key.h"
#include "pki/key_wrap.h"

#define CMS_RECIPIENTS_MAX 16
/*
 * What we ask of PBKDF2 and what we bear. A reply's password is as a rule a one-time challenge of
 * 128 random bits, which needs no stretching at all; 10,000 (some 3 ms, ten times the minimum of
 * RFC 8018 4.2) slow down a search for a static one without being the cost of an enrolment.
 */
#define CMS_PBKDF2_ITERATIONS 10000
#define CMS_PBKDF2_ITERATIONS_MAX 1000000

enum cms_recipient_kind {
	CMS_RECIPIENT_KEY_TRANSPORT,
	CMS_RECIPIENT_PASSWORD,
	CMS_RECIPIENT_KEY_AGREEMENT,
	CMS_RECIPIENT_KEK,
	CMS_RECIPIENT_OTHER
};

struct cms_recipient {
	enum cms_recipient_kind kind;
	/* IssuerAndSerialNumber's parts, or SKI (the others empty); of a shared key its identifier
	 */
	struct span issuer;
	struct span serial;
	struct span ski;
	struct transport_alg transport;
	bool transport_known;
	/* password */
	struct span pwri_kdf; /* PBKDF2-params, whole */
	enum cipher_alg pwri_cipher;
	struct span pwri_iv;
	/* key agreement; the wrap also of a shared key */
	struct span originator; /* content of OriginatorPublicKey */
	struct span ukm;
	enum wrap_alg wrap;
	struct span encrypted_key;
};

struct cms_enveloped {
	struct cms_recipient recipients[CMS_RECIPIENTS_MAX];
	size_t n_recipients;
	enum cipher_alg cipher;
	struct span iv;
	struct span encrypted; /* content octets; joined into `joined` where it was constructed */
	struct buf joined;     /* owned, may be empty */
};

/* der: the ContentInfo, in DER (see der/ber.h). */
RESULT cms_enveloped_parse(struct span der, struct cms_enveloped *out, struct err *err);
void cms_enveloped_clear(struct cms_enveloped *e);

/* With the content key that key_decrypt or one of the below gave: a wrong one is ERR_BAD_CHECK. */
RESULT cms_enveloped_open(const struct cms_enveloped *e, struct crypto *c, struct span content_key,
			  struct buf *plain, struct err *err);
RESULT cms_pwri_unwrap(const struct cms_recipient *r, struct crypto *c, struct span password,
		       struct secret *content_key, struct err *err);
/* key: an EC key in this process (key_evp.h). */
RESULT cms_kari_unwrap(const struct cms_recipient *r, struct crypto *c, struct key *key,
		       struct secret *content_key, struct err *err);
RESULT cms_kek_unwrap(const struct cms_recipient *r, struct crypto *c, struct span kek,
		      struct secret *content_key, struct err *err);

/* What is put into an envelope, and how. Spans borrowed. */
struct cms_envelop {
	struct span plain;
	enum cipher_alg cipher;
	struct transport_alg transport; /* to an RSA key */
	enum wrap_alg wrap;             /* to an EC key; WRAP_NONE: to none */
	struct span content_type;       /* OID octets of what is in it; empty: id-data */
};

/*
 * A holder of an RSA or EC key, named by issuer (Name) and serial (INTEGER content octets); or by
 * key.
 */
struct cms_holder {
	struct pubkey *key;
	struct span issuer;
	struct span serial;
	struct span ski; /* subjectKeyIdentifier, in the place of the two; empty: none */
};

/* Who shares a key with us beforehand: 16, 24 or 32 octets, by which it is wrapped (RFC 3394). */
struct cms_kek {
	struct span id;
	struct span key;
};

/* Each appends the ContentInfo. For the holder of a certificate, given as DER: */
RESULT cms_envelop_to_cert(const struct cms_envelop *e, struct crypto *c, struct span recipient,
			   struct buf *out, struct err *err);
/* The same with the key at hand. */
RESULT cms_envelop_to_holder(const struct cms_envelop *e, struct crypto *c,
			     const struct cms_holder *to, struct buf *out, struct err *err);
RESULT cms_envelop_to_kek(const struct cms_envelop *e, struct crypto *c, const struct cms_kek *to,
			  struct buf *out, struct err *err);
/* For whoever knows the password (RFC 8894 3.1): PBKDF2-HMAC-SHA-256. */
RESULT cms_envelop_to_password(const struct cms_envelop *e, struct crypto *c, struct span password,
			       struct buf *out, struct err *err);

#endif
