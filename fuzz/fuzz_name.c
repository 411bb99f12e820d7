/* SPDX-License-Identifier: Apache-2.0 */
/* A name's DER to text and back, where text can say it, gives an equal name. */
#include <stdlib.h>

#include "pki/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void from_der(struct span der)
{
	BUF text = BUF_INIT, back = BUF_INIT, cn = BUF_INIT;
	bool sound = name_check(der, NULL) == OK;

	(void)!name_common_name(der, &cn, NULL);
	if ((name_put_text(&text, der, NULL) == OK) != sound)
		abort();
	if (!sound)
		return;
	if (!name_equal(der, der) || !name_equal_unordered(der, der))
		abort();
	if (name_parse_text(buf_cstr(&text), &back, NULL) == OK &&
	    (!name_equal(der, buf_span(&back)) || !name_equal_unordered(buf_span(&back), der)))
		abort();
}

static void from_text(struct span input)
{
	BUF text = BUF_INIT, der = BUF_INIT, again = BUF_INIT;

	buf_put(&text, input);
	if (name_parse_text(buf_cstr(&text), &der, NULL) != OK)
		return;
	if (name_check(buf_span(&der), NULL) != OK ||
	    name_put_text(&again, buf_span(&der), NULL) != OK)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t half = size / 2;

	from_der(span_of(data, size));
	from_text(span_of(data, size));
	/* two names, malformed ones too, must compare alike both ways */
	if (name_equal(span_of(data, half), span_of(data + half, size - half)) !=
	    name_equal(span_of(data + half, size - half), span_of(data, half)))
		abort();
	return 0;
}
