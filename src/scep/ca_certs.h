/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What GetCACert answered (RFC 8894 4.2.1), seen from the device: which certificates, which of them
 * can be trusted, and who does what. Pure but for the signatures that are checked.
 */
#ifndef SCEP_CA_CERTS_H
#define SCEP_CA_CERTS_H

#include "pki/cms_signed.h"

struct scep_ca_certs {
	struct buf der; /* owned: what the certificates are views of */
	struct cert certs[CMS_CERTS_MAX];
	size_t n;
	/* after scep_ca_certs_trust: */
	bool trusted[CMS_CERTS_MAX];
	size_t issuer;    /* the CA that issues */
	size_t encrypter; /* for whom requests are encrypted: an RA, else the CA */
};

/*
 * A certificate or a degenerate SignedData, BER or DER, also as PEM: by what it is, since servers
 * send it under every Content-Type.
 */
RESULT scep_ca_certs_parse(struct span answer, struct scep_ca_certs *out, struct err *err);
void scep_ca_certs_clear(struct scep_ca_certs *c);

/*
 * Trusts the CA certificate with this SHA-256 fingerprint (empty: the first root or CA of the
 * answer, on first use), then whatever a trusted CA has signed, and chooses who does what among
 * those. now: expired ones are not trusted; those not valid yet are, since devices start with their
 * clocks in the past.
 */
RESULT scep_ca_certs_trust(struct scep_ca_certs *ca, struct crypto *c, struct span fingerprint,
			   int64_t now, struct err *err);

/* The same where nothing is encrypted: `encrypter` may be nobody. */
RESULT scep_ca_certs_trust_issuer(struct scep_ca_certs *ca, struct crypto *c,
				  struct span fingerprint, int64_t now, struct err *err);

/*
 * GetNextCACert's answer (RFC 8894 4.7.1): who will be the CA, signed by who is it now (`current`,
 * trusted). All of it is trusted then, since the CA says so; certificates that begin later are the
 * rule. ERR_BAD_CHECK: not signed, or by somebody else. ERR_BAD_ALG: with less than SHA-256.
 */
RESULT scep_ca_certs_next(const struct scep_ca_certs *current, struct crypto *c, struct span answer,
			  int64_t now, struct scep_ca_certs *out, struct err *err);

/* The trusted certificate with this key, to check a reply by; NULL: none. */
const struct cert *scep_ca_certs_by_key(const struct scep_ca_certs *ca, struct span spki);
/* May it be used for that, by its keyUsage? One without the extension may be used for all. */
bool scep_ca_certs_may(const struct cert *cert, uint32_t key_usage);

#endif
