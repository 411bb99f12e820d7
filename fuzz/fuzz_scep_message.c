/* SPDX-License-Identifier: Apache-2.0 */
/* A pkiMessage as it comes off the wire, BER or DER, whole. */
#include "scep/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scep_message m = { .message_type = -1 };
	struct err err = { 0 };

	if (scep_message_parse(span_of(data, size), &m, &err) != OK)
		return 0;
	if (m.has_envelope && scep_message_read_envelope(&m, &err) != OK)
		err_clear(&err);
	scep_message_clear(&m);
	return 0;
}
