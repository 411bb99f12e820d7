/* SPDX-License-Identifier: Apache-2.0 */
/* A SCEP URL's query, and its message as a PKIOperation by GET and as GetCACaps' answer. */
#include "scep/caps.h"
#include "scep/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scep_query q = { .operation = SCEP_OP_NONE };
	BUF bytes = BUF_INIT;
	struct err err = { 0 };

	(void)scep_caps_parse(span_of(data, size));
	if (scep_query_parse(span_of(data, size), &q, &err) != OK)
		return 0;
	if (scep_query_decode_message(buf_span(&q.message), &bytes, &err) != OK)
		bytes.len = 0;
	scep_query_clear(&q);
	return 0;
}
