/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CMS SignedData (RFC 5652 5) as SCEP, EST and CMP use it: one signer, signed attributes, or none
 * at all ("degenerate": certificates and CRLs only).
 */
#ifndef PKI_CMS_SIGNED_H
#define PKI_CMS_SIGNED_H

#include "pki/cert.h"

#define CMS_CERTS_MAX 32
#define CMS_ATTRS_MAX 32

struct cms_attr {
	struct span type;   /* OID octets */
	struct span values; /* content of SET OF AttributeValue */
};

/* A view into the DER it was read from (BER is turned into DER by the caller: der/ber.h). */
struct cms_signed {
	struct span content_type; /* eContentType OID octets */
	bool has_content;
	struct span content;              /* eContent octets */
	struct span certs[CMS_CERTS_MAX]; /* certificates as sent, whole */
	size_t n_certs;
	struct span crls[8];
	size_t n_crls;
	/* the first signer; has_signer is false in a degenerate message */
	bool has_signer;
	struct span sid;       /* IssuerAndSerialNumber or [0] SKI, whole */
	struct span digest_id; /* digestAlgorithm and signatureAlgorithm, whole */
	struct span sig_id;
	enum digest_alg digest;   /* DIGEST_NONE: unknown */
	struct sig_alg sig_alg;   /* digest filled from digestAlgorithm where it is rsaEncryption;
				     kind KEY_NONE: unknown */
	struct span signed_attrs; /* whole, under its [0], as received; empty: none */
	struct cms_attr attrs[CMS_ATTRS_MAX];
	size_t n_attrs;
	struct span signature;
};

/*
 * der: the ContentInfo. An unknown digest or signature algorithm is no error here, so that the
 * attributes of such a message can still be read and answered: cms_signed_verify names it.
 */
RESULT cms_signed_parse(struct span der, struct cms_signed *out, struct err *err);

/* The signed attribute's only value, whole TLV; ERR_NOT_FOUND if absent, ERR_SYNTAX if not single.
 */
RESULT cms_attr_find(const struct cms_signed *s, struct span type, const char *what,
		     struct der_tlv *out, struct err *err);

/* SignerIdentifier, read: by issuer and serial, or by key; the others are empty. */
struct cms_sid {
	struct span issuer; /* Name */
	struct span serial; /* INTEGER content octets */
	struct span ski;
};
RESULT cms_signed_sid(const struct cms_signed *s, struct cms_sid *out, struct err *err);

/*
 * The certificate among s->certs that the signer's sid names (issuer+serial, names compared
 * leniently; or SKI). Where none matches and there is just one certificate: that one (devices get
 * the sid wrong).
 */
RESULT cms_signed_signer(const struct cms_signed *s, struct cert *out, struct err *err);

/*
 * messageDigest against the content, then the signature over the attributes as received and, if
 * that fails, over their DER-sorted form. ERR_BAD_CHECK names which of the two disagreed;
 * ERR_BAD_ALG an algorithm that is unknown or not to be had. Policy on weak ones is the caller's.
 */
RESULT cms_signed_verify(const struct cms_signed *s, struct crypto *c, struct span signer_spki,
			 struct err *err);
/* The same with the key at hand. */
RESULT cms_signed_verify_with(const struct cms_signed *s, struct crypto *c, struct pubkey *signer,
			      struct err *err);

struct cms_sign {
	bool has_content;
	struct span content;      /* eContent, if has_content; it may be empty */
	struct span content_type; /* OID octets; empty: id-data */
	struct span attrs; /* whole Attributes beyond contentType and messageDigest, any order */
	enum digest_alg digest;   /* an Ed25519 key takes SHA-512 instead (RFC 8419 3.1) */
	struct span signer_cert;  /* DER: its issuer and serial name the signer; empty:... */
	struct span signer_ski;   /* ...this identifier of the key does */
	const struct span *certs; /* to include, in this order */
	size_t n_certs;
	const struct span *crls;
	size_t n_crls;
	bool next_ca; /* sign with KEY_FOR_NEXT_CA: id-data without attrs */
};

/* Appends the ContentInfo. sig_alg is by key kind and digest; signs with KEY_FOR_CONTENT. */
RESULT cms_sign(const struct cms_sign *s, struct key *key, struct crypto *c, struct buf *out,
		struct err *err);
/* The SET OF that is signed with id-data of that content by that algorithm, where no attributes are
   asked for: contentType and messageDigest. */
RESULT cms_put_signed_attrs(struct span content, struct sig_alg alg, struct crypto *c,
			    struct buf *out, struct err *err);
/* One Attribute with one value (whole TLV), appended. */
void cms_put_attr(struct buf *out, struct span type, struct span value);

/* Degenerate certificates-only message (RFC 8894 3.4). */
RESULT cms_put_degenerate(struct buf *out, const struct span *certs, size_t n_certs,
			  const struct span *crls, size_t n_crls, struct err *err);

#endif
