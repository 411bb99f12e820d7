/* SPDX-License-Identifier: Apache-2.0 */
/* SCEP's device side over HTTP (RFC 8894 4). One thread an object. */
#ifndef SCEP_CLIENT_H
#define SCEP_CLIENT_H

#include "net/http_client.h"
#include "scep/enrolment.h"

struct scep_client { /* all borrowed */
	struct http_client *http;
	const char *url;           /* of the SCEP endpoint */
	const char *ca_identifier; /* message= of GetCACert and GetCACaps; NULL: none */
};

/* An HTTP error or no answer that can be read is a server without capabilities (RFC 8894 3.5.2). */
RESULT scep_client_get_caps(const struct scep_client *client, uint32_t *caps, struct err *err);
RESULT scep_client_get_ca(const struct scep_client *client, struct scep_ca_certs *out,
			  struct err *err);
/* GetNextCACert, as it came. ERR_NOT_FOUND: there is no next CA yet. */
RESULT scep_client_get_next_ca(const struct scep_client *client, struct buf *out, struct err *err);
/*
 * One PKIOperation, by POST where caps offer it, else by GET; the answer's body. ERR_BUSY: the
 * server asks to come back, in *retry_after seconds where it says when (-1 where not).
 */
RESULT scep_client_pki_operation(const struct scep_client *client, uint32_t caps,
				 struct span message, struct buf *out, long *retry_after,
				 struct err *err);

#endif
