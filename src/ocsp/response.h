/* SPDX-License-Identifier: Apache-2.0 */
/* OCSPResponse (RFC 6960 4.2): what a responder says of certificates, signed. Pure. */
#ifndef OCSP_RESPONSE_H
#define OCSP_RESPONSE_H

#include "ocsp/request.h"
#include "pki/crl.h"

/* OCSPResponseStatus */
enum ocsp_status {
	OCSP_SUCCESSFUL = 0,
	OCSP_MALFORMED_REQUEST = 1,
	OCSP_INTERNAL_ERROR = 2,
	OCSP_TRY_LATER = 3,
	OCSP_SIG_REQUIRED = 5,
	OCSP_UNAUTHORIZED = 6,
};

enum ocsp_cert_state { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };

struct ocsp_single {
	struct span cert_id; /* with tag, as it was asked for */
	enum ocsp_cert_state state;
	int64_t revoked;        /* OCSP_REVOKED */
	enum crl_reason reason; /* OCSP_REVOKED */
	int64_t this_update;
	int64_t next_update; /* 0: newer information is always there */
};

/* ResponseData */
struct ocsp_data {
	bool by_name;
	struct span responder; /* Name DER, or SHA-1 of the bits of the responder's key */
	int64_t produced_at;
	struct ocsp_single singles[OCSP_CERTS_MAX];
	size_t n;
	struct span nonce; /* empty: none */
	/* RFC 6960 2.2: `revoked` is said of certificates that were never issued, too */
	bool extended_revoke;
};

RESULT ocsp_response_put_data(const struct ocsp_data *data, struct buf *out, struct err *err);
/* The whole around a signed ResponseData. cert: the responder's own, for who has not got it. */
RESULT ocsp_response_assemble(struct span data, struct sig_alg alg, struct span signature,
			      struct span cert, struct buf *out, struct err *err);
/* One that says only why there is none. */
RESULT ocsp_response_put_error(enum ocsp_status status, struct buf *out, struct err *err);

/* A parsed one is a view. */
struct ocsp_response {
	enum ocsp_status status;
	/* OCSP_SUCCESSFUL */
	struct span tbs; /* ResponseData with tag */
	struct ocsp_data data;
	struct sig_alg sig_alg;
	struct span signature;
	struct span cert; /* the first that comes with it; empty: none */
};
RESULT ocsp_response_parse(struct span der, struct ocsp_response *out, struct err *err);

#endif
