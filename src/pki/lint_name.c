/* SPDX-License-Identifier: Apache-2.0 */
#include "der/oid.h"
#include "der/text.h"
#include "pki/lint_rules.h"
#include "pki/name.h"
#include "pki/san.h"

#define BROKEN(err, ...) err_set(err, ERR_BAD_TEMPLATE, "RFC 5280 " __VA_ARGS__)

#define LABEL_MAX 63
#define DNS_MAX 253
#define LOCAL_PART_MAX 64

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/*
 * Upper bounds of appendix A.1, in characters. String types are not judged: a subject goes into
 * the certificate as the device wrote it, since devices compare.
 */
static const struct bound {
	const struct span *type;
	const char *name;
	size_t max;
} bounds[] = {
	{ &OID_CN, "commonName", 64 },
	{ &OID_O, "organizationName", 64 },
	{ &OID_OU, "organizationalUnitName", 64 },
	{ &OID_C, "countryName", 2 },
	{ &OID_L, "localityName", 128 },
	{ &OID_ST, "stateOrProvinceName", 128 },
	{ &OID_TITLE, "title", 64 },
	{ &OID_SERIAL_NUMBER, "serialNumber", 64 },
	{ &OID_PSEUDONYM, "pseudonym", 128 },
	{ &OID_EMAIL_ADDRESS, "emailAddress", 255 },
	{ &OID_DC, "domainComponent", LABEL_MAX },
	{ &OID_STREET, "streetAddress", 128 },
	{ &OID_POSTAL_CODE, "postalCode", 40 },
	{ &OID_UID, "userId", 256 },
};

/* -1 where the octets are no text of that string type. */
static int count_characters(uint8_t tag, struct span text)
{
	int32_t c;
	int n = 0;

	while ((c = der_text_next(tag, &text)) >= 0)
		n++;
	return c == DER_TEXT_END ? n : -1;
}

static bool is_country(uint8_t tag, struct span text)
{
	int32_t a = der_text_next(tag, &text), b = der_text_next(tag, &text);

	return a >= 'A' && a <= 'z' && is_letter((uint8_t)a) && b >= 'A' && b <= 'z' &&
	       is_letter((uint8_t)b);
}

static enum result check_bound(const struct bound *b, const struct name_attr *attr,
			       const char *what, struct err *err)
{
	int n = count_characters(attr->tag, attr->value);

	if (n < 0)
		return BROKEN(err, "4.1.2.4: %s in the %s is no character string", b->name, what);
	if (n == 0)
		return BROKEN(err, "4.1.2.4: empty %s in the %s", b->name, what);
	if ((size_t)n > b->max)
		return BROKEN(err, "A.1: %s of %d characters in the %s, at most %zu", b->name, n,
			      what, b->max);
	if (span_eq(*b->type, OID_C) && !is_country(attr->tag, attr->value))
		return BROKEN(err, "A.1: countryName in the %s is not two letters", what);
	return OK;
}

static enum result check_attr(const struct name_attr *attr, const char *what, struct err *err)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(bounds); i++)
		if (span_eq(attr->type, *bounds[i].type))
			return check_bound(&bounds[i], attr, what, err);
	return OK;
}

enum result lint_name(struct span name, const char *what, struct err *err)
{
	struct name_attr attr;
	struct name_iter it;

	if (name_check(name, err) != OK)
		return err_prefix(err, ERR_BAD_TEMPLATE, "RFC 5280 4.1.2.4: %s", what);
	name_iter_init(&it, name);
	while (name_next(&it, &attr))
		TRY(check_attr(&attr, what, err));
	return OK;
}

static bool is_label(struct span s)
{
	size_t i;

	if (s.len == 0 || s.len > LABEL_MAX || s.p[0] == '-' || s.p[s.len - 1] == '-')
		return false;
	for (i = 0; i < s.len; i++)
		if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

/* Preferred name syntax, RFC 1034 3.5 as RFC 1123 2.1 has it. */
static bool is_dns(struct span name)
{
	size_t dot;

	if (name.len > DNS_MAX)
		return false;
	for (;; name = span_sub(name, dot + 1, SIZE_MAX)) {
		dot = span_find(name, '.');
		if (!is_label(span_sub(name, 0, dot)))
			return false;
		if (dot == name.len)
			return true;
	}
}

/* A leftmost label "*" has no meaning in RFC 5280, but one that everybody knows (RFC 6125). */
static enum result check_dns(const struct san *san, struct err *err)
{
	struct span name = san->value;

	if (name.len > 2 && name.p[0] == '*' && name.p[1] == '.')
		name = span_sub(name, 2, SIZE_MAX);
	if (!is_dns(name))
		return BROKEN(err, "4.2.1.6: dNSName \"%.*s\" is not in the preferred name syntax",
			      (int)span_sub(san->value, 0, 120).len, (const char *)san->value.p);
	return OK;
}

static enum result check_email(const struct san *san, struct err *err)
{
	size_t at = span_find(san->value, '@');

	if (at == 0 || at > LOCAL_PART_MAX || !is_dns(span_sub(san->value, at + 1, SIZE_MAX)))
		return BROKEN(err, "4.2.1.6: rfc822Name \"%.*s\" is not of the form local@domain",
			      (int)san->value.len, (const char *)san->value.p);
	return OK;
}

enum result lint_uri(struct span uri, struct err *err)
{
	size_t colon = span_find(uri, ':'), i;
	bool ok = uri.len > colon + 1 && colon > 0 && is_letter(uri.p[0]);

	for (i = 0; ok && i < colon; i++)
		/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): three octets, no string */
		ok = is_letter(uri.p[i]) || is_digit(uri.p[i]) || memchr("+-.", uri.p[i], 3);
	if (!ok)
		return BROKEN(err, "4.2.1.6: URI \"%.*s\" is not absolute", (int)uri.len,
			      (const char *)uri.p);
	return OK;
}

static enum result check_uri(const struct san *san, struct err *err)
{
	return lint_uri(san->value, err);
}

static enum result check_directory(const struct san *san, struct err *err)
{
	if (name_is_empty(san->value))
		return BROKEN(err, "4.2.1.6: empty directoryName");
	return lint_name(san->value, "subjectAltName", err);
}

static const struct {
	enum san_kind kind;
	RESULT (*check)(const struct san *san, struct err *err);
} san_rules[] = {
	{ SAN_DNS, check_dns },
	{ SAN_EMAIL, check_email },
	{ SAN_URI, check_uri },
	{ SAN_DIRECTORY, check_directory },
};

enum result lint_san(struct span value, struct err *err)
{
	struct der_reader list;
	struct san san;
	size_t i;

	if (san_check(value, err) != OK || san_begin(value, &list, err) != OK)
		return err_prefix(err, ERR_BAD_TEMPLATE, "subjectAltName");
	while (san_next(&list, &san))
		for (i = 0; i < ARRAY_LEN(san_rules); i++)
			if (san_rules[i].kind == san.kind)
				TRY(san_rules[i].check(&san, err));
	return OK;
}
