/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#11 URIs, and the records of keys in tokens: what is read is written the same. */
#include <stdlib.h>

#include "token/token.h"
#include "token/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void uris(struct span in)
{
	CLEANUP(token_uri_clear) struct token_uri uri = { .has_slot = false };
	CLEANUP(token_uri_clear) struct token_uri again = { .has_slot = false };
	BUF first = BUF_INIT, second = BUF_INIT;

	if (token_uri_parse(in, &uri, NULL) != OK || token_uri_write(&uri, &first, NULL) != OK)
		return;
	/* percent-encoding may have made it longer than is read */
	if (first.len > TOKEN_URI_MAX)
		return;
	if (token_uri_parse(buf_span(&first), &again, NULL) != OK ||
	    token_uri_write(&again, &second, NULL) != OK ||
	    !span_eq(buf_span(&first), buf_span(&second)))
		abort();
}

static void records(struct span in)
{
	CLEANUP(token_record_clear) struct token_record record = { 0 };
	BUF out = BUF_INIT;

	if (token_record_read(in, &record, NULL) == OK &&
	    token_record_write(&record, &out, NULL) != OK)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uris(span_of(data, size));
	records(span_of(data, size));
	return 0;
}
