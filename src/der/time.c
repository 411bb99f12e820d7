/* SPDX-License-Identifier: Apache-2.0 */
/* UTCTime and GeneralizedTime, RFC 5280 4.1.2.5: with seconds, in Z, no fraction. */
#include <stdio.h>

#include "der/reader.h"
#include "der/writer.h"

/* Days since 1970-01-01 of a proleptic Gregorian date. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int days_in_month(int y, int m)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap);
}

/* n decimal digits at off; -1 if they are none. */
static int digits(struct span s, size_t off, size_t n)
{
	int v = 0;

	for (; n; n--, off++) {
		if (s.p[off] < '0' || s.p[off] > '9')
			return -1;
		v = v * 10 + (s.p[off] - '0');
	}
	return v;
}

static int year_of(struct span c, size_t digits_of_year)
{
	int y = digits(c, 0, digits_of_year);

	if (digits_of_year == 2 && y >= 0)
		return y + (y < 50 ? 2000 : 1900);
	return y;
}

enum result der_read_time(struct der_reader *r, const char *what, int64_t *out, struct err *err)
{
	uint8_t tag = der_peek(r, DER_UTC_TIME) ? DER_UTC_TIME : DER_GENERALIZED_TIME;
	size_t yn = tag == DER_UTC_TIME ? 2 : 4;
	int y, mo, d, h, mi, s;
	struct der_tlv tlv;

	TRY(der_read(r, tag, what, &tlv, err));
	if (tlv.content.len != yn + 11 || tlv.content.p[yn + 10] != 'Z')
		return err_set(err, ERR_SYNTAX, "%s: time is not of the form YYMMDDHHMMSSZ", what);
	y = year_of(tlv.content, yn);
	mo = digits(tlv.content, yn, 2);
	d = digits(tlv.content, yn + 2, 2);
	h = digits(tlv.content, yn + 4, 2);
	mi = digits(tlv.content, yn + 6, 2);
	s = digits(tlv.content, yn + 8, 2);
	if (y < 0 || mo < 1 || mo > 12 || d < 1 || d > days_in_month(y, mo) || h < 0 || h > 23 ||
	    mi < 0 || mi > 59 || s < 0 || s > 59)
		return err_set(err, ERR_SYNTAX, "%s: no such time: %.*s", what,
			       (int)tlv.content.len, (const char *)tlv.content.p);
	*out = days_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + s;
	return OK;
}

/* Digits of the time, without or with the century, and Z. */
static void put_time(struct buf *out, int64_t t, bool may_be_utc)
{
	int64_t days = t / 86400 - (t % 86400 < 0), rest = t - days * 86400;
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int d = (int)(doy - (153 * mp + 2) / 5 + 1), m = (int)(mp < 10 ? mp + 3 : mp - 9);
	int y = (int)(yoe + era * 400 + (m <= 2));
	bool utc = may_be_utc && y >= 1950 && y < 2050;
	char text[64];

	if (utc)
		(void)snprintf(text, sizeof(text), "%02d", y % 100);
	else
		(void)snprintf(text, sizeof(text), "%04d", y);
	(void)snprintf(text + (utc ? 2 : 4), sizeof(text) - 4, "%02d%02d%02d%02d%02dZ", m, d,
		       (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
	der_put_tlv(out, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME, span_str(text));
}

void der_put_time(struct buf *out, int64_t t)
{
	put_time(out, t, true);
}

void der_put_generalized_time(struct buf *out, int64_t t)
{
	put_time(out, t, false);
}
