/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in front of a connection from a trusted proxy. */
#include "net/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header h = { .state = PROXY_HEADER_PART };

	if (proxy_header_parse(span_of(data, size), &h, NULL) == OK && h.len > size)
		__builtin_trap();
	return 0;
}
