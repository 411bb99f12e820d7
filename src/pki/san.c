/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/san.h"

#include <arpa/inet.h>
#include <strings.h>

#include "base/hex.h"
#include "der/oid.h"
#include "der/text.h"
#include "der/writer.h"
#include "pki/name.h"

static enum result check_ia5(struct span c, uint8_t lowest, const char *what, struct err *err)
{
	size_t i;

	if (c.len == 0)
		return err_set(err, ERR_SYNTAX, "RFC 5280 4.2.1.6: empty %s", what);
	for (i = 0; i < c.len; i++)
		if (c.p[i] < lowest || c.p[i] > 0x7e)
			return err_set(err, ERR_SYNTAX,
				       "RFC 5280 4.2.1.6: %s with octet 0x%02x, not printable "
				       "IA5",
				       what, c.p[i]);
	return OK;
}

static enum result read_ip(struct span c, struct san *out, struct err *err)
{
	(void)out;
	if (c.len != 4 && c.len != 16)
		return err_set(err, ERR_SYNTAX,
			       "RFC 5280 4.2.1.6: iPAddress of %zu octets, not 4 or 16", c.len);
	return OK;
}

/* The Name is a CHOICE, so that [4] is EXPLICIT. */
static enum result read_directory(struct span c, struct san *out, struct err *err)
{
	(void)out;
	return name_check(c, err);
}

static enum result read_rid(struct span c, struct san *out, struct err *err)
{
	(void)out;
	if (c.len == 0 || c.p[0] == 0x80 || c.p[c.len - 1] & 0x80)
		return err_set(err, ERR_SYNTAX, "registeredID: malformed OBJECT IDENTIFIER");
	return OK;
}

static enum result read_upn(struct der_reader *value, struct span *out, struct err *err)
{
	struct der_tlv text;
	struct span rest;
	int32_t c;

	TRY(der_read(value, DER_UTF8_STRING, "userPrincipalName", &text, err));
	TRY(der_end(value, "userPrincipalName", err));
	rest = text.content;
	while ((c = der_text_next(text.tag, &rest)) >= 0)
		;
	if (c == DER_TEXT_BAD || text.content.len == 0)
		return err_set(err, ERR_SYNTAX, "userPrincipalName: empty, or not UTF-8");
	*out = text.content;
	return OK;
}

/* OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY } */
static enum result read_other(struct span c, struct san *out, struct err *err)
{
	struct der_reader r, value;
	struct der_tlv any;
	struct span type;

	der_reader_init(&r, c);
	TRY(der_read_oid(&r, "otherName.type-id", &type, err));
	TRY(der_enter(&r, DER_CONTEXT_CONS(0), "otherName.value", &value, err));
	TRY(der_end(&r, "otherName", err));
	if (span_eq(type, OID_MS_UPN)) {
		out->kind = SAN_UPN;
		return read_upn(&value, &out->value, err);
	}
	TRY(der_read_any(&value, "otherName.value", &any, err));
	return der_end(&value, "otherName.value", err);
}

/*
 * By the number of the context tag. IA5 text says its lowest octet: quoted local parts of e-mail
 * addresses may hold spaces. Forms with neither text nor reader are passed through unread.
 */
static const struct form {
	const char *name;
	bool constructed;
	uint8_t lowest;
	RESULT (*read)(struct span content, struct san *out, struct err *err);
} forms[] = {
	[SAN_OTHER_NAME] = { "otherName", true, 0, read_other },
	[SAN_EMAIL] = { "email", false, ' ', NULL },
	[SAN_DNS] = { "DNS", false, '!', NULL },
	[SAN_X400] = { "X400", true, 0, NULL },
	[SAN_DIRECTORY] = { "dirName", true, 0, read_directory },
	[SAN_EDI] = { "ediPartyName", true, 0, NULL },
	[SAN_URI] = { "URI", false, '!', NULL },
	[SAN_IP] = { "IP", false, 0, read_ip },
	[SAN_RID] = { "RID", false, 0, read_rid },
};

static enum result read_name(struct der_reader *list, struct san *out, struct err *err)
{
	const struct form *form;
	struct der_tlv tlv;
	struct san got;
	uint8_t number;

	TRY(der_read_any(list, "GeneralName", &tlv, err));
	number = tlv.tag & 0x1f;
	if ((tlv.tag & 0xc0) != 0x80 || number >= ARRAY_LEN(forms))
		return err_set(err, ERR_SYNTAX, "GeneralName: tag 0x%02x", tlv.tag);
	form = &forms[number];
	if (form->constructed != ((tlv.tag & DER_CONSTRUCTED) != 0))
		return err_set(err, ERR_SYNTAX, "GeneralName %s: tag 0x%02x", form->name, tlv.tag);
	got = (struct san){ (enum san_kind)number, tlv.content, tlv.whole };
	if (form->lowest)
		TRY(check_ia5(tlv.content, form->lowest, form->name, err));
	if (form->read)
		TRY(form->read(tlv.content, &got, err));
	*out = got;
	return OK;
}

enum result san_begin(struct span value, struct der_reader *list, struct err *err)
{
	return der_read_whole(value, DER_SEQUENCE, "GeneralNames", list, err);
}

bool san_next(struct der_reader *list, struct san *out)
{
	return !der_at_end(list) && read_name(list, out, NULL) == OK;
}

enum result san_check(struct span value, struct err *err)
{
	struct der_reader list;
	struct san san;
	size_t n;

	TRY(san_begin(value, &list, err));
	for (n = 0; !der_at_end(&list); n++) {
		if (n == SAN_MAX)
			return err_set(err, ERR_LIMIT, "GeneralNames: more than %d", SAN_MAX);
		TRY(read_name(&list, &san, err));
	}
	if (n == 0)
		return err_set(err, ERR_SYNTAX, "RFC 5280 4.2.1.6: GeneralNames without a name");
	return OK;
}

const char *san_kind_name(enum san_kind kind)
{
	if (kind == SAN_UPN)
		return "UPN";
	return (size_t)kind < ARRAY_LEN(forms) ? forms[kind].name : "?";
}

static void put_ip(struct buf *out, struct span ip)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(ip.len == 4 ? AF_INET : AF_INET6, ip.p, text, sizeof(text)))
		buf_put_str(out, text);
}

enum result san_put_text(struct buf *out, const struct san *san, struct err *err)
{
	switch (san->kind) {
	case SAN_EMAIL:
	case SAN_DNS:
	case SAN_URI:
	case SAN_UPN:
		buf_put(out, san->value);
		break;
	case SAN_IP:
		put_ip(out, san->value);
		break;
	case SAN_RID:
		oid_put_text(out, san->value);
		break;
	case SAN_DIRECTORY:
		return name_put_text(out, san->value, err);
	default:
		hex_put(out, san->value);
	}
	return buf_check(out, err);
}

static enum result make_ip(const char *text, struct buf *out, struct err *err)
{
	uint8_t octets[16];

	if (inet_pton(AF_INET, text, octets) == 1)
		buf_put(out, span_of(octets, 4));
	else if (inet_pton(AF_INET6, text, octets) == 1)
		buf_put(out, span_of(octets, 16));
	else
		return err_set(err, ERR_SYNTAX, "\"%s\" is not an IP address", text);
	return OK;
}

static enum result make_text(const char *text, struct buf *out, struct err *err)
{
	(void)err;
	buf_put_str(out, text);
	return OK;
}

static enum result make_upn(const char *text, struct buf *out, struct err *err)
{
	size_t mark;

	(void)err;
	der_put_oid(out, OID_MS_UPN);
	mark = der_open(out, DER_CONTEXT_CONS(0));
	der_put_tlv(out, DER_UTF8_STRING, span_str(text));
	der_close(out, mark);
	return OK;
}

static const struct maker {
	const char *prefix;
	enum san_kind form;
	RESULT (*make)(const char *text, struct buf *out, struct err *err);
} makers[] = {
	{ "DNS:", SAN_DNS, make_text },
	{ "IP:", SAN_IP, make_ip },
	{ "URI:", SAN_URI, make_text },
	{ "email:", SAN_EMAIL, make_text },
	{ "UPN:", SAN_OTHER_NAME, make_upn },
	{ "RID:", SAN_RID, oid_parse },
	{ "dirName:", SAN_DIRECTORY, name_parse_text },
};

/* What was made is read back, so that text meets the same rules as a device's bytes. */
static enum result put_made(const struct maker *m, const char *text, struct buf *out,
			    struct err *err)
{
	uint8_t tag = forms[m->form].constructed ? DER_CONTEXT_CONS(m->form) : DER_CONTEXT(m->form);
	BUF content = BUF_INIT;
	BUF name = BUF_INIT;
	struct der_reader r;
	struct san san;

	TRY(m->make(text, &content, err));
	TRY(buf_check(&content, err));
	der_put_tlv(&name, tag, buf_span(&content));
	TRY(buf_check(&name, err));
	der_reader_init(&r, buf_span(&name));
	TRY(read_name(&r, &san, err));
	buf_put(out, buf_span(&name));
	return buf_check(out, err);
}

enum result san_parse_text(const char *text, struct buf *out, struct err *err)
{
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(makers); i++) {
		n = strlen(makers[i].prefix);
		if (strncasecmp(text, makers[i].prefix, n) == 0)
			return put_made(&makers[i], text + n, out, err);
	}
	return err_set(err, ERR_SYNTAX,
		       "\"%s\": a subjectAltName is written DNS:, IP:, URI:, email:, UPN:, RID: or "
		       "dirName: and the value",
		       text);
}

/* The local part counts case, the domain does not (RFC 5280 7.5). */
static bool same_email(struct span a, struct span b)
{
	size_t at = span_find(a, '@');

	return a.len == b.len && span_eq(span_sub(a, 0, at), span_sub(b, 0, at)) &&
	       span_eq_nocase(span_sub(a, at, SIZE_MAX), span_sub(b, at, SIZE_MAX));
}

static bool same_name(const struct san *a, const struct san *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case SAN_DNS:
		return span_eq_nocase(a->value, b->value);
	case SAN_EMAIL:
		return same_email(a->value, b->value);
	case SAN_DIRECTORY:
		return name_equal(a->value, b->value);
	default:
		return span_eq(a->whole, b->whole);
	}
}

static bool is_among(const struct san *want, struct der_reader list)
{
	struct san san;

	while (san_next(&list, &san))
		if (same_name(want, &san))
			return true;
	return false;
}

static bool all_among(struct der_reader some, struct der_reader all)
{
	struct san san;

	while (san_next(&some, &san))
		if (!is_among(&san, all))
			return false;
	return true;
}

bool san_equal(struct span a, struct span b)
{
	struct der_reader in_a, in_b;

	if (san_check(a, NULL) != OK || san_check(b, NULL) != OK ||
	    san_begin(a, &in_a, NULL) != OK || san_begin(b, &in_b, NULL) != OK)
		return false;
	return all_among(in_a, in_b) && all_among(in_b, in_a);
}
