/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <strings.h>

#include "base/hex.h"
#include "der/oid.h"
#include "der/text.h"
#include "der/writer.h"
#include "pki/name.h"

/* The first row of a type has its short name; the others are read as well. */
static const struct {
	const char *text;
	const struct span *type;
	uint8_t tag; /* string type to write */
} types[] = {
	{ "CN", &OID_CN, DER_UTF8_STRING },
	{ "O", &OID_O, DER_UTF8_STRING },
	{ "OU", &OID_OU, DER_UTF8_STRING },
	{ "C", &OID_C, DER_PRINTABLE_STRING },
	{ "L", &OID_L, DER_UTF8_STRING },
	{ "ST", &OID_ST, DER_UTF8_STRING },
	{ "S", &OID_ST, DER_UTF8_STRING },
	{ "STREET", &OID_STREET, DER_UTF8_STRING },
	{ "DC", &OID_DC, DER_IA5_STRING },
	{ "UID", &OID_UID, DER_UTF8_STRING },
	{ "serialNumber", &OID_SERIAL_NUMBER, DER_PRINTABLE_STRING },
	{ "emailAddress", &OID_EMAIL_ADDRESS, DER_IA5_STRING },
	{ "E", &OID_EMAIL_ADDRESS, DER_IA5_STRING },
	{ "email", &OID_EMAIL_ADDRESS, DER_IA5_STRING },
	{ "unstructuredName", &OID_UNSTRUCTURED_NAME, DER_UTF8_STRING },
	{ "unstructuredAddress", &OID_UNSTRUCTURED_ADDRESS, DER_UTF8_STRING },
	{ "SN", &OID_SURNAME, DER_UTF8_STRING },
	{ "surname", &OID_SURNAME, DER_UTF8_STRING },
	{ "GN", &OID_GIVEN_NAME, DER_UTF8_STRING },
	{ "givenName", &OID_GIVEN_NAME, DER_UTF8_STRING },
	{ "title", &OID_TITLE, DER_UTF8_STRING },
	{ "name", &OID_NAME, DER_UTF8_STRING },
	{ "initials", &OID_INITIALS, DER_UTF8_STRING },
	{ "postalCode", &OID_POSTAL_CODE, DER_UTF8_STRING },
	{ "pseudonym", &OID_PSEUDONYM, DER_UTF8_STRING },
	{ "generationQualifier", &OID_GENERATION_QUALIFIER, DER_UTF8_STRING },
	{ "dnQualifier", &OID_DN_QUALIFIER, DER_PRINTABLE_STRING },
	{ "organizationIdentifier", &OID_ORGANIZATION_IDENTIFIER, DER_UTF8_STRING },
};

const char *name_type_text(struct span type)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(types); i++)
		if (span_eq(type, *types[i].type))
			return types[i].text;
	return NULL;
}

struct span name_type_parse(const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(types); i++)
		if (strcasecmp(text, types[i].text) == 0)
			return *types[i].type;
	return SPAN_NONE;
}

static uint8_t tag_for(struct span type)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(types); i++)
		if (span_eq(type, *types[i].type))
			return types[i].tag;
	return DER_UTF8_STRING;
}

/* RFC 4514 2.4, and control characters too, so that a name is always one line of text. */
static void put_escaped(struct buf *out, struct span utf8)
{
	size_t i;

	for (i = 0; i < utf8.len; i++) {
		uint8_t c = utf8.p[i];
		bool edge = (i == 0 && (c == ' ' || c == '#')) || (i == utf8.len - 1 && c == ' ');

		if (c < 0x20 || c == 0x7f) {
			buf_printf(out, "\\%02X", c);
			continue;
		}
		if (edge || strchr("\"+,;<>\\", c))
			buf_put_byte(out, '\\');
		buf_put_byte(out, c);
	}
}

/* What has no short name, or no text, is given as hexadecimal DER (RFC 4514 2.4). */
static enum result put_attr(struct buf *out, const struct name_attr *attr, struct err *err)
{
	const char *type = name_type_text(attr->type);
	BUF value = BUF_INIT;

	if (type && der_text_is_string(attr->tag) &&
	    name_value_utf8(attr->tag, attr->value, &value, NULL) == OK) {
		buf_put_str(out, type);
		buf_put_byte(out, '=');
		put_escaped(out, buf_span(&value));
		return buf_check(out, err);
	}
	der_put_tlv(&value, attr->tag, attr->value);
	TRY(buf_check(&value, err));
	if (type)
		buf_put_str(out, type);
	else
		oid_put_text(out, attr->type);
	buf_put_str(out, "=#");
	hex_put(out, buf_span(&value));
	return buf_check(out, err);
}

/* Index of the first attribute of the RDN that attribute i is part of. */
static size_t rdn_start(const struct name_attr *attrs, size_t i)
{
	while (i > 0 && attrs[i - 1].rdn == attrs[i].rdn)
		i--;
	return i;
}

enum result name_put_text(struct buf *out, struct span der, struct err *err)
{
	struct name_attr attrs[NAME_RDN_MAX];
	struct name_iter it;
	BUF text = BUF_INIT;
	size_t n = 0, start, end, i;

	TRY(name_check(der, err));
	name_iter_init(&it, der);
	while (n < NAME_RDN_MAX && name_next(&it, &attrs[n]))
		n++;
	for (end = n; end > 0; end = start) {
		start = rdn_start(attrs, end - 1);
		for (i = start; i < end; i++) {
			if (text.len > 0)
				buf_put_byte(&text, i > start ? '+' : ',');
			TRY(put_attr(&text, &attrs[i], err));
		}
	}
	buf_put(out, buf_span(&text));
	return buf_check(out, err);
}

/* Names in the making: RDNs as DER, in the order of the text. */
struct name_text {
	const char *at;
	bool slashes; /* "/O=b/CN=a" rather than "CN=a,O=b" */
	struct buf rdns;
	size_t start[NAME_RDN_MAX + 1];
	size_t n;
	unsigned n_attrs;
};

static void name_text_clear(struct name_text *t)
{
	buf_clear(&t->rdns);
}

static void skip_spaces(struct name_text *t)
{
	while (*t->at == ' ')
		t->at++;
}

static bool ends_rdn(const struct name_text *t)
{
	if (*t->at == '\0')
		return true;
	return t->slashes ? *t->at == '/' : *t->at == ',' || *t->at == ';';
}

static enum result read_type(struct name_text *t, struct buf *oid, struct err *err)
{
	BUF text = BUF_INIT;
	struct span type;
	const char *name;

	skip_spaces(t);
	while (isalnum((unsigned char)*t->at) || *t->at == '.' || *t->at == '-')
		buf_put_byte(&text, (uint8_t)*t->at++);
	skip_spaces(t);
	name = buf_cstr(&text);
	if (!name)
		return err_nomem(err);
	if (*t->at != '=')
		return err_set(
		    err, ERR_SYNTAX,
		    "name: '=' is missing after \"%s\": write it as in CN=router7,O=Example", name);
	t->at++;
	type = name_type_parse(name);
	if (type.len == 0 && isdigit((unsigned char)name[0]))
		return oid_parse(name, oid, err);
	if (type.len == 0)
		return err_set(err, ERR_SYNTAX, "name: attribute type \"%s\" is unknown", name);
	buf_put(oid, type);
	return buf_check(oid, err);
}

/* What is behind a backslash: two hexadecimal digits, or the character itself. */
static enum result read_escape(struct name_text *t, struct buf *value, struct err *err)
{
	if (isxdigit((unsigned char)t->at[0]) && isxdigit((unsigned char)t->at[1])) {
		TRY(hex_parse(span_of(t->at, 2), value, err));
		t->at += 2;
		return OK;
	}
	if (*t->at == '\0')
		return err_set(err, ERR_SYNTAX, "name: nothing behind the last backslash");
	buf_put_byte(value, (uint8_t)*t->at++);
	return OK;
}

static enum result read_quoted(struct name_text *t, struct buf *value, struct err *err)
{
	for (t->at++; *t->at != '"';) {
		if (*t->at == '\0')
			return err_set(err, ERR_SYNTAX, "name: quotation mark is not closed");
		if (*t->at == '\\') {
			t->at++;
			TRY(read_escape(t, value, err));
		} else {
			buf_put_byte(value, (uint8_t)*t->at++);
		}
	}
	t->at++;
	skip_spaces(t);
	return OK;
}

/* Spaces at the end do not count unless they are escaped. */
static enum result read_plain(struct name_text *t, struct buf *value, struct err *err)
{
	size_t keep = 0;

	while (!ends_rdn(t) && *t->at != '+') {
		if (*t->at == '\\') {
			t->at++;
			TRY(read_escape(t, value, err));
			keep = value->len;
			continue;
		}
		buf_put_byte(value, (uint8_t)*t->at);
		if (*t->at++ != ' ')
			keep = value->len;
	}
	if (!value->failed)
		value->len = keep;
	return OK;
}

/* "#0c0161": the DER of the value. */
static enum result put_hex_value(struct name_text *t, struct err *err)
{
	BUF der = BUF_INIT;
	struct der_reader r;
	struct der_tlv tlv;
	const char *digits = ++t->at;

	while (isxdigit((unsigned char)*t->at))
		t->at++;
	TRY(hex_parse(span_of(digits, (size_t)(t->at - digits)), &der, err));
	der_reader_init(&r, buf_span(&der));
	TRY(der_read_any(&r, "name: value in hexadecimal", &tlv, err));
	TRY(der_end(&r, "name: value in hexadecimal", err));
	skip_spaces(t);
	buf_put(&t->rdns, tlv.whole);
	return OK;
}

static bool is_printable_char(int32_t c)
{
	return c > 0 && c < 0x80 && (isalnum(c) || strchr(" '()+,-./:=?", c));
}

static enum result check_value(uint8_t tag, struct span value, struct err *err)
{
	struct span rest = value;
	int32_t c;

	if (value.len == 0 || value.len > NAME_VALUE_MAX)
		return err_set(err, ERR_SYNTAX, "name: value of %zu octets where 1 to %d are taken",
			       value.len, NAME_VALUE_MAX);
	while ((c = der_text_next(tag, &rest)) >= 0)
		if (tag == DER_PRINTABLE_STRING && !is_printable_char(c))
			break;
	if (c == DER_TEXT_END)
		return OK;
	return err_set(err, ERR_SYNTAX, "name: \"%.*s\" is not %s", (int)value.len,
		       (const char *)value.p,
		       tag == DER_UTF8_STRING  ? "UTF-8"
		       : tag == DER_IA5_STRING ? "ASCII, which its type must be"
					       : "made of letters, digits and '()+,-./:=?");
}

static enum result put_text_value(struct name_text *t, struct span type, struct err *err)
{
	uint8_t tag = tag_for(type);
	BUF value = BUF_INIT;

	if (*t->at == '"')
		TRY(read_quoted(t, &value, err));
	else
		TRY(read_plain(t, &value, err));
	TRY(buf_check(&value, err));
	TRY(check_value(tag, buf_span(&value), err));
	der_put_tlv(&t->rdns, tag, buf_span(&value));
	return OK;
}

static enum result read_one_attr(struct name_text *t, struct err *err)
{
	size_t seq = der_open(&t->rdns, DER_SEQUENCE);
	BUF type = BUF_INIT;

	if (++t->n_attrs > NAME_RDN_MAX)
		return err_set(err, ERR_LIMIT, "name: more than %d attributes", NAME_RDN_MAX);
	TRY(read_type(t, &type, err));
	der_put_oid(&t->rdns, buf_span(&type));
	skip_spaces(t);
	if (*t->at == '#')
		TRY(put_hex_value(t, err));
	else
		TRY(put_text_value(t, buf_span(&type), err));
	der_close(&t->rdns, seq);
	return OK;
}

static enum result read_rdn(struct name_text *t, struct err *err)
{
	size_t set = der_open(&t->rdns, DER_SET);

	TRY(read_one_attr(t, err));
	while (*t->at == '+') {
		t->at++;
		TRY(read_one_attr(t, err));
	}
	if (!ends_rdn(t))
		return err_set(err, ERR_SYNTAX, "name: \"%s\" is left over", t->at);
	der_close_set_of(&t->rdns, set);
	t->start[++t->n] = t->rdns.len;
	return buf_check(&t->rdns, err);
}

static enum result read_rdns(struct name_text *t, struct err *err)
{
	skip_spaces(t);
	t->slashes = *t->at == '/';
	if (t->slashes)
		t->at++;
	if (*t->at == '\0')
		return OK;
	TRY(read_rdn(t, err));
	while (*t->at != '\0') {
		t->at++;
		TRY(read_rdn(t, err));
	}
	return OK;
}

enum result name_parse_text(const char *text, struct buf *out_der, struct err *err)
{
	CLEANUP(name_text_clear) struct name_text t = { .at = text };
	size_t seq, i;

	TRY(read_rdns(&t, err));
	seq = der_open(out_der, DER_SEQUENCE);
	for (i = 0; i < t.n; i++) {
		size_t k = t.slashes ? i : t.n - 1 - i;

		buf_put(out_der,
			span_sub(buf_span(&t.rdns), t.start[k], t.start[k + 1] - t.start[k]));
	}
	der_close(out_der, seq);
	return buf_check(out_der, err);
}
