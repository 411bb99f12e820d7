/* SPDX-License-Identifier: Apache-2.0 */
/* From what was captured, in whatever dress, to the bytes of the object. Pure. */
#ifndef CLI_SCEPTER_DECODE_INPUT_H
#define CLI_SCEPTER_DECODE_INPUT_H

#include "base/buf.h"
#include "scep/query.h"

struct decode_input {
	const char *form; /* static: "DER or BER", "PEM", "URL", "HTTP request", "base64" */
	bool is_url;
	struct scep_query query; /* of a URL or HTTP request; owned */
	struct buf bytes;        /* owned; may be empty with a URL */
};

/* ERR_SYNTAX: nothing that is known. */
RESULT decode_input_read(struct span text, struct decode_input *out, struct err *err);
void decode_input_clear(struct decode_input *in);

#endif
