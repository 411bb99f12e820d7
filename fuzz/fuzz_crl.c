/* SPDX-License-Identifier: Apache-2.0 */
/* A revocation list: its frame, its extensions, all of its entries. */
#include "pki/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crl_entry entry;
	struct crl_scope scope;
	struct err err = { 0 };
	struct crl crl;
	size_t n;

	if (crl_parse(span_of(data, size), &crl, &err) != OK)
		return 0;
	(void)!crl_read_scope(&crl, &scope, &err);
	(void)!crl_count(&crl, &n, &err);
	(void)!crl_find(&crl, SPAN_LIT("\x03"), &entry, &err);
	return 0;
}
