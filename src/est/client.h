/* SPDX-License-Identifier: Apache-2.0 */
/* EST's device side over HTTPS (RFC 7030 3, 4). One thread an object. */
#ifndef EST_CLIENT_H
#define EST_CLIENT_H

#include "net/http_client.h"

struct est_client { /* all borrowed */
	struct http_client *http;
	/* https://HOST[:PORT], or that with /.well-known/est and perhaps a label behind it */
	const char *url;
};

/* cacerts (4.1): the SignedData, DER, appended. */
RESULT est_client_get_ca(const struct est_client *client, struct buf *out, struct err *err);
/* csrattrs (4.5): CsrAttrs, DER, appended; nothing where the server has none. */
RESULT est_client_get_attributes(const struct est_client *client, struct buf *out, struct err *err);

/* RFC 7030 4.2.2: renew is done with the certificate that is renewed, shown over TLS. */
enum est_enrolment { EST_ENROL, EST_RENEW, EST_SERVER_KEY };
struct est_wait {
	bool approval; /* an operator has to approve (202) */
	long seconds;  /* until the request should be sent again; -1: the server does not say */
	bool fresh;    /* it went by a connection of its own, which no link of before belongs to */
};
/*
 * The SignedData with the certificate, DER, appended; of EST_SERVER_KEY the body as it came (see
 * est/key_reply.h), which is a secret. ERR_BUSY: not yet, see *wait.
 */
RESULT est_client_enrol(const struct est_client *client, enum est_enrolment how, struct span csr,
			struct buf *out, struct est_wait *wait, struct err *err);

/*
 * fullcmc (4.3): message is SignedData, and so is what is appended, which may be a refusal: of any
 * HTTP status, where it has one. 202 without is ERR_BUSY.
 */
RESULT est_client_full_cmc(const struct est_client *client, struct span message, struct buf *out,
			   struct est_wait *wait, struct err *err);

#endif
