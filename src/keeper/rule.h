/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a key is for. The rule is fixed when the key is made, lies beside it, and the keeper holds
 * each request against it by reading again what it is asked to sign. Pure.
 */
#ifndef KEEPER_RULE_H
#define KEEPER_RULE_H

#include "pki/key.h"

struct key_rule {
	bool certificates;         /* sign TBSCertificates... */
	bool crls;                 /* ...and TBSCertLists... */
	struct buf issuer;         /* ...of this issuer Name (DER) only */
	int64_t max_validity;      /* seconds from notBefore to notAfter of what it signs; its own
				      certificate: see below */
	int64_t max_own_validity;  /* of the self-signed certificate over its own key */
	int64_t max_kept_validity; /* of what it signs over a key that the keeper has, too, and that
				      is no CA's: a registration authority's. 0: as others */
	bool ca_certificates; /* may basicConstraints say CA:TRUE for a key that is not its own? */
	bool content; /* sign CMS signed attributes (must be a SET OF Attribute with contentType and
			 messageDigest) */
	bool decrypt; /* RSA key transport */
	bool csr;     /* sign CertificationRequestInfo over its own key */
	bool tls;     /* sign a TLS server's part of a handshake */
	bool audit;   /* sign seals on the chain of events */
	bool ocsp;    /* sign a ResponseData */
	struct buf family; /* id of the CA's first key, of which this is a later generation; empty:
			      it is the first. The keeper says so, nobody else */
};
void key_rule_clear(struct key_rule *r);
RESULT key_rule_copy(const struct key_rule *r, struct key_rule *out, struct err *err);

/*
 * ERR_DENIED naming the clause that the message breaks. own_spki: of the key that is to sign, or of
 * another generation of the same CA: what may be certified is then the other one's.
 */
RESULT key_rule_check(const struct key_rule *rule, enum key_purpose purpose, struct span own_spki,
		      struct span message, struct err *err);
/* The same for a TBSCertificate over a key that the keeper has, too, and that is no CA's. */
RESULT key_rule_check_kept(const struct key_rule *rule, struct span own_spki, struct span message,
			   struct err *err);
/* The same for a message too long to be held: by its beginning, and how long it is in all. */
RESULT key_rule_check_long(const struct key_rule *rule, enum key_purpose purpose,
			   struct span beginning, uint64_t total, struct err *err);
/*
 * Is the digest good enough? What others rely on later without having asked for it (certificates,
 * lists, seals) is not signed with MD5 or SHA-1 under any rule: who can choose both of two messages
 * that collide would have the one signed that is allowed, and use the other. Content is, for old
 * devices; and TLS, whose library has a floor of its own.
 */
RESULT key_rule_check_digest(enum key_purpose purpose, enum digest_alg digest, struct err *err);
/* Text form, a line a setting, as it lies beside the key. */
RESULT key_rule_write(const struct key_rule *rule, struct buf *out, struct err *err);
RESULT key_rule_read(struct span text, struct key_rule *out, struct err *err);

#endif
