/* SPDX-License-Identifier: Apache-2.0 */
#include "scep/validity.h"

#include "der/oid.h"
#include "der/reader.h"
#include "der/text.h"

#define DAY ((int64_t)86400)
#define COUNT_DIGITS 6

static const struct {
	const char *name;
	int64_t seconds;
} units[] = {
	{ "Hours", 3600 },      { "Days", DAY },        { "Weeks", 7 * DAY },
	{ "Months", 30 * DAY }, { "Years", 365 * DAY },
};

struct asked {
	bool any;
	int64_t unit; /* seconds; 0: not said */
	int64_t count;
};

static int64_t unit_of(struct span text)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(units); i++)
		if (span_eq_nocase(text, span_str(units[i].name)))
			return units[i].seconds;
	return 0;
}

static int64_t count_of(struct span text)
{
	int64_t n = 0;
	size_t i;

	if (text.len > COUNT_DIGITS)
		return 0;
	for (i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return 0;
		n = n * 10 + (text.p[i] - '0');
	}
	return n;
}

static RESULT read_text(struct der_reader *r, struct buf *out, struct err *err)
{
	struct der_tlv tlv;

	TRY(der_read_any(r, "enrolmentNameValuePair", &tlv, err));
	return der_text_utf8(tlv.tag, tlv.content, "enrolmentNameValuePair", out, err);
}

/* EnrollmentNameValuePair ::= SEQUENCE { name BMPString, value BMPString } */
static RESULT read_pair(struct der_reader *values, struct asked *asked, struct err *err)
{
	struct der_reader pair;
	BUF name = BUF_INIT;
	BUF value = BUF_INIT;

	TRY(der_enter(values, DER_SEQUENCE, "enrolmentNameValuePair", &pair, err));
	TRY(read_text(&pair, &name, err));
	TRY(read_text(&pair, &value, err));
	TRY(der_end(&pair, "enrolmentNameValuePair", err));
	if (!span_eq_nocase(buf_span(&name), SPAN_LIT("ValidityPeriod")) &&
	    !span_eq_nocase(buf_span(&name), SPAN_LIT("ValidityPeriodUnits")))
		return OK;
	asked->any = true;
	if (unit_of(buf_span(&value)))
		asked->unit = unit_of(buf_span(&value));
	else
		asked->count = count_of(buf_span(&value));
	return OK;
}

/* Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY } */
static RESULT read_attr(struct der_reader *attrs, struct asked *asked, struct err *err)
{
	struct der_reader attr, values;
	struct span type;

	TRY(der_enter(attrs, DER_SEQUENCE, "CSR attribute", &attr, err));
	TRY(der_read_oid(&attr, "CSR attribute.type", &type, err));
	if (!span_eq(type, OID_MS_ENROLMENT_NAME_VALUE))
		return OK;
	TRY(der_enter(&attr, DER_SET, "CSR attribute.values", &values, err));
	while (!der_at_end(&values))
		TRY(read_pair(&values, asked, err));
	return OK;
}

enum result scep_validity_asked(const struct csr *csr, int64_t *seconds, struct err *err)
{
	struct asked asked = { 0 };
	struct der_reader attrs;

	der_reader_init(&attrs, csr->attrs);
	while (!der_at_end(&attrs))
		TRY(read_attr(&attrs, &asked, err));
	if (asked.any && (asked.unit == 0 || asked.count == 0))
		return err_set(err, ERR_BAD_TEMPLATE,
			       "ValidityPeriod and ValidityPeriodUnits of the request are no "
			       "length of time, as Days and 30 are");
	*seconds = asked.unit * asked.count;
	return OK;
}
