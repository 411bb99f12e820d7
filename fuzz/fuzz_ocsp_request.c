/* SPDX-License-Identifier: Apache-2.0 */
/* What anyone may send to the responder. */
#include "ocsp/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ocsp_request request;
	struct err err = { 0 };

	(void)!ocsp_request_parse(span_of(data, size), &request, &err);
	return 0;
}
