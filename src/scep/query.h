/* SPDX-License-Identifier: Apache-2.0 */
/* operation= and message= of a SCEP URL in every form that devices use. Pure. */
#ifndef SCEP_QUERY_H
#define SCEP_QUERY_H

#include "base/buf.h"

enum scep_operation {
	SCEP_OP_NONE,
	SCEP_OP_GET_CA_CAPS,
	SCEP_OP_GET_CA_CERT,
	SCEP_OP_GET_NEXT_CA_CERT,
	SCEP_OP_PKI_OPERATION,
};

struct scep_query {
	enum scep_operation operation; /* name compared without case */
	bool has_message;
	struct buf message; /* percent-decoded once; '+' kept. Owned */
};

/* query: what stands behind '?', as received. Unknown operation: ERR_BAD_REQUEST naming it. */
RESULT scep_query_parse(struct span query, struct scep_query *out, struct err *err);
void scep_query_clear(struct scep_query *q);
/* message of a PKIOperation GET: base64 with line breaks, blanks for '+', URL alphabet, no padding.
 */
RESULT scep_query_decode_message(struct span message, struct buf *out, struct err *err);
/* For the client: percent-encoded base64, ready to stand behind "message=". */
RESULT scep_query_encode_message(struct span bytes, struct buf *out, struct err *err);

#endif
