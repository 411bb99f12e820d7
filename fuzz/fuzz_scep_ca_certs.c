/* SPDX-License-Identifier: Apache-2.0 */
/* GetCACert's answer, as a device reads it: a certificate, a degenerate SignedData, or PEM. */
#include "scep/ca_certs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scep_ca_certs ca = { .n = 0 };
	struct err err = { 0 };
	size_t i;

	if (scep_ca_certs_parse(span_of(data, size), &ca, &err) != OK)
		return 0;
	for (i = 0; i < ca.n; i++)
		if (!scep_ca_certs_may(&ca.certs[i], 0) && ca.certs[i].exts.len == 0)
			__builtin_trap(); /* without extensions nothing is forbidden */
	scep_ca_certs_clear(&ca);
	return 0;
}
