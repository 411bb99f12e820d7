/* SPDX-License-Identifier: Apache-2.0 */
/* A body as EST sends it, and CsrAttrs in it; what is read of those is put and read again. */
#include <stdlib.h>

#include "est/attributes.h"
#include "est/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct est_attributes a, again;
	BUF decoded = BUF_INIT;
	BUF put = BUF_INIT;
	struct span der;

	if (est_body_read(span_of(data, size), &decoded, &der, NULL) != OK ||
	    est_attributes_parse(der, &a, NULL) != OK)
		return 0;
	est_attributes_put(&put, &a);
	if (!put.failed && est_attributes_parse(buf_span(&put), &again, NULL) != OK)
		abort();
	return 0;
}
