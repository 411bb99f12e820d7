/* SPDX-License-Identifier: Apache-2.0 */
/* The DER reader over everything, and what BER becomes: DER, which stays as it is. */
#include <stdlib.h>

#include "base/buf.h"
#include "der/ber.h"
#include "der/oid.h"
#include "der/reader.h"
#include "der/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every typed read of what comes next, on copies: none may read past the end. */
static void read_all_ways(const struct der_reader *at)
{
	struct der_reader r;
	struct span bytes;
	uint64_t number;
	uint32_t bits;
	int64_t t;
	bool flag;

	r = *at;
	(void)!der_read_integer(&r, "integer", &bytes, NULL);
	r = *at;
	(void)!der_read_uint(&r, "uint", UINT32_MAX, &number, NULL);
	r = *at;
	(void)!der_read_bool(&r, "bool", &flag, NULL);
	r = *at;
	(void)!der_read_bits(&r, "bits", &bytes, NULL);
	r = *at;
	(void)!der_read_named_bits(&r, "named bits", &bits, NULL);
	r = *at;
	(void)!der_read_time(&r, "time", &t, NULL);
	r = *at;
	if (der_read_oid(&r, "oid", &bytes, NULL) == OK) {
		BUF text = BUF_INIT;

		oid_put_text(&text, bytes);
	}
}

static void read_text(const struct der_tlv *tlv)
{
	BUF utf8 = BUF_INIT, again = BUF_INIT;

	if (der_text_utf8(tlv->tag, tlv->content, "text", &utf8, NULL) != OK)
		return;
	if (der_text_utf8(DER_UTF8_STRING, buf_span(&utf8), "text", &again, NULL) != OK ||
	    !span_eq(buf_span(&utf8), buf_span(&again)))
		abort();
}

/* Down to the leaves; false where it is malformed. */
static bool walk(struct der_reader *r)
{
	struct der_reader inner;
	struct der_tlv tlv;

	while (!der_at_end(r)) {
		read_all_ways(r);
		if (r->rest.p[0] & DER_CONSTRUCTED) {
			if (der_enter(r, r->rest.p[0], "element", &inner, NULL) != OK ||
			    !walk(&inner))
				return false;
			continue;
		}
		if (der_read_any(r, "element", &tlv, NULL) != OK)
			return false;
		read_text(&tlv);
	}
	return true;
}

static void must_be_der(struct span der)
{
	struct der_reader r;
	BUF out = BUF_INIT;
	bool was_der = false;

	der_reader_init(&r, der);
	if (!walk(&r))
		abort();
	if (ber_to_der(der, &BER_LIMITS_DEFAULT, &out, &was_der, NULL) != OK || !was_der)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct der_reader r;
	BUF out = BUF_INIT;
	bool was_der;

	der_reader_init(&r, in);
	(void)walk(&r);
	if (ber_to_der(in, &BER_LIMITS_DEFAULT, &out, &was_der, NULL) == OK)
		must_be_der(was_der ? in : buf_span(&out));
	out.len = 0;
	(void)!ber_join_octets(in, &out, NULL);
	return 0;
}
