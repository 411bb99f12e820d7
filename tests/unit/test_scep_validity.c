/* SPDX-License-Identifier: Apache-2.0 */
/* Validities as Windows and Android ask for them, and as nobody should. */
#include "unit.h"

#include "der/oid.h"
#include "der/tag.h"
#include "der/writer.h"
#include "scep/validity.h"

#define DAY 86400

static void put_bmp(struct buf *out, const char *text)
{
	size_t mark = der_open(out, DER_BMP_STRING);

	for (; *text; text++) {
		buf_put_byte(out, 0);
		buf_put_byte(out, (uint8_t)*text);
	}
	der_close(out, mark);
}

static void put_pair(struct buf *out, const char *name, const char *value)
{
	size_t mark = der_open(out, DER_SEQUENCE);

	put_bmp(out, name);
	put_bmp(out, value);
	der_close(out, mark);
}

/* Each pair as an attribute, or both as the values of one. */
static void put_pairs(struct buf *out, const char *const pairs[4], bool together)
{
	size_t i, attr, set;

	for (i = 0; i < 4 && pairs[i]; i += together ? 4 : 2) {
		attr = der_open(out, DER_SEQUENCE);
		der_put_oid(out, OID_MS_ENROLMENT_NAME_VALUE);
		set = der_open(out, DER_SET);
		put_pair(out, pairs[i], pairs[i + 1]);
		if (together && pairs[2])
			put_pair(out, pairs[2], pairs[3]);
		der_close(out, set);
		der_close(out, attr);
	}
}

static void rows(void **state)
{
	static const struct {
		const char *pairs[4];
		int64_t want; /* -1: refused */
	} row[] = {
		{ { NULL }, 0 },
		{ { "CertificateTemplate", "User" }, 0 },
		{ { "ValidityPeriod", "Days", "ValidityPeriodUnits", "30" }, 30 * DAY },
		{ { "ValidityPeriod", "Years", "ValidityPeriodUnits", "2" }, 730 * DAY },
		{ { "ValidityPeriodUnits", "12", "ValidityPeriod", "weeks" }, 84 * DAY },
		{ { "ValidityPeriod", "30", "ValidityPeriodUnits", "Days" }, 30 * DAY },
		{ { "validityperiod", "Hours", "VALIDITYPERIODUNITS", "1" }, 3600 },
		{ { "ValidityPeriod", "Days" }, -1 },
		{ { "ValidityPeriodUnits", "30" }, -1 },
		{ { "ValidityPeriod", "Days", "ValidityPeriodUnits", "0" }, -1 },
		{ { "ValidityPeriod", "Days", "ValidityPeriodUnits", "-1" }, -1 },
		{ { "ValidityPeriod", "Days", "ValidityPeriodUnits", "" }, -1 },
		{ { "ValidityPeriod", "Days", "ValidityPeriodUnits", "9999999" }, -1 },
		{ { "ValidityPeriod", "Aeons", "ValidityPeriodUnits", "3" }, -1 },
		{ { "ValidityPeriod", "Years", "ValidityPeriodUnits", "999999" },
		  999999 * (int64_t)365 * DAY },
	};
	size_t i;
	int together;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++)
		for (together = 0; together < 2; together++) {
			BUF attrs = BUF_INIT;
			struct csr csr = { 0 };
			int64_t got = -1;

			put_pairs(&attrs, row[i].pairs, together);
			csr.attrs = buf_span(&attrs);
			if (scep_validity_asked(&csr, &got, NULL) != OK)
				assert_int_equal(got, -1);
			if (got != row[i].want)
				fail_msg("row %zu: %lld", i, (long long)got);
		}
}

static void hostile(void **state)
{
	static const char *const pairs[4] = { "ValidityPeriod", "Days", "ValidityPeriodUnits",
					      "7" };
	BUF attrs = BUF_INIT;
	size_t i;

	(void)state;
	put_pairs(&attrs, pairs, false);
	for (i = 0; i < attrs.len; i++) {
		struct csr csr = { .attrs = span_of(attrs.data, i) };
		int64_t got = -1;

		/* a cut between the two attributes leaves one, which says nothing */
		if (i)
			assert_int_not_equal(scep_validity_asked(&csr, &got, NULL), OK);
		attrs.data[i] ^= 0x21;
		csr.attrs = buf_span(&attrs);
		if (scep_validity_asked(&csr, &got, NULL) == OK)
			assert_true(got >= 0);
		attrs.data[i] ^= 0x21;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
