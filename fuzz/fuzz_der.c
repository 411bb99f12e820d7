/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as BER: turned into DER, which the reader must then take to the last element. */
#include <stdlib.h>

#include "der/ber.h"
#include "der/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct der_reader *r)
{
	struct err err = { 0 };

	while (!der_at_end(r)) {
		struct der_reader inner;
		struct der_tlv tlv;
		struct span s;
		int64_t t;
		bool b;

		inner = *r;
		(void)!der_read_integer(&inner, "INTEGER", &s, &err);
		inner = *r;
		(void)!der_read_oid(&inner, "OID", &s, &err);
		inner = *r;
		(void)!der_read_bits(&inner, "BIT STRING", &s, &err);
		inner = *r;
		(void)!der_read_time(&inner, "Time", &t, &err);
		inner = *r;
		(void)!der_read_bool(&inner, "BOOLEAN", &b, &err);
		if (r->rest.p[0] & DER_CONSTRUCTED) {
			uint8_t tag = r->rest.p[0];

			if (der_enter(r, tag, "constructed", &inner, &err) != OK)
				return;
			walk(&inner);
		} else if (der_read_any(r, "element", &tlv, &err) != OK) {
			return;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_of(data, size);
	struct ber_limits limits = BER_LIMITS_DEFAULT;
	BUF der = BUF_INIT;
	struct der_reader r;
	bool was_der;

	der_reader_init(&r, bytes);
	walk(&r);
	if (ber_to_der(bytes, &limits, &der, &was_der, NULL) != OK)
		return 0;
	if (!was_der) {
		BUF again = BUF_INIT;

		/* What was made DER is DER. */
		if (ber_to_der(buf_span(&der), &limits, &again, &was_der, NULL) != OK || !was_der)
			abort();
	}
	der_reader_init(&r, was_der ? bytes : buf_span(&der));
	walk(&r);
	return 0;
}
