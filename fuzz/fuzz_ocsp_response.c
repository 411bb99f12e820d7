/* SPDX-License-Identifier: Apache-2.0 */
/* What a responder sends, read as a client would. */
#include "ocsp/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ocsp_response response;
	struct err err = { 0 };

	(void)!ocsp_response_parse(span_of(data, size), &response, &err);
	return 0;
}
