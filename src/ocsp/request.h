/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSPRequest (RFC 6960 4.1): which certificates someone asks about. A parsed one is a view of its
 * DER. The optional signature is passed over: everyone may ask. Pure.
 */
#ifndef OCSP_REQUEST_H
#define OCSP_REQUEST_H

#include "pki/alg.h"

#define OCSP_CERTS_MAX 100 /* that are taken at all; services take fewer */
/* RFC 8954 2.1 has 32, its successor 128. */
#define OCSP_NONCE_MAX 128

struct ocsp_cert_id {
	struct span whole;     /* CertID with tag, to be echoed */
	enum digest_alg hash;  /* DIGEST_NONE: one that is not known here */
	struct span name_hash; /* of the issuer's Name */
	struct span key_hash;  /* of the bits of its public key */
	struct span serial;    /* INTEGER content octets */
};

struct ocsp_request {
	struct ocsp_cert_id certs[OCSP_CERTS_MAX];
	size_t n;
	struct span nonce; /* content of the extension's OCTET STRING; empty: none */
};

/*
 * ERR_SYNTAX; ERR_LIMIT: more than OCSP_CERTS_MAX certificates, or a nonce of another length than
 * 1..OCSP_NONCE_MAX; ERR_BAD_REQUEST: a critical extension that is unknown.
 */
RESULT ocsp_request_parse(struct span der, struct ocsp_request *out, struct err *err);

/* A CertID alone. */
RESULT ocsp_request_parse_cert_id(struct span der, struct ocsp_cert_id *out, struct err *err);
/* CertID. Hashes are of digest_size(hash) octets; whole is not looked at. */
void ocsp_request_put_cert_id(struct buf *out, const struct ocsp_cert_id *id);
/* From certs and nonce; CertIDs are made of their hashes. */
RESULT ocsp_request_build(const struct ocsp_request *req, struct buf *out, struct err *err);

#endif
