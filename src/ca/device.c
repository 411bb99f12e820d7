/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/device.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "der/oid.h"
#include "der/writer.h"
#include "pki/ext.h"
#include "pki/name.h"
#include "pki/san.h"

#define MAC "MAC"
#define MAC_DIGITS 12

static const enum san_kind san_kinds[] = { SAN_DNS, SAN_IP, SAN_URI, SAN_EMAIL, SAN_UPN, SAN_RID };

/* ---- types ---- */

static const char *find_kind(const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(san_kinds); i++)
		if (strcasecmp(text, san_kind_name(san_kinds[i])) == 0)
			return san_kind_name(san_kinds[i]);
	return strcasecmp(text, MAC) == 0 ? MAC : NULL;
}

static bool put_attribute(struct span type, char out[STORE_NAME_MAX])
{
	const char *known = name_type_text(type);
	BUF dotted = BUF_INIT;
	int n;

	if (!known) {
		oid_put_text(&dotted, type);
		known = buf_cstr(&dotted);
	}
	n = known ? snprintf(out, STORE_NAME_MAX, "%s", known) : -1;
	return n > 0 && n < STORE_NAME_MAX;
}

enum result device_type_parse(struct span text, char out[STORE_NAME_MAX], struct err *err)
{
	char name[STORE_NAME_MAX] = "";
	const char *kind;
	struct span type;
	BUF oid = BUF_INIT;

	if (text.len && text.len < sizeof(name) && !memchr(text.p, 0, text.len))
		memcpy(name, text.p, text.len);
	kind = find_kind(name);
	if (kind) {
		(void)snprintf(out, STORE_NAME_MAX, "%s", kind);
		return OK;
	}
	type = name_type_parse(name);
	if (type.len == 0 && oid_parse(name, &oid, NULL) == OK)
		type = buf_span(&oid);
	if (type.len && put_attribute(type, out))
		return OK;
	return err_set(err, ERR_SYNTAX,
		       "\"%.*s\" is no type: write MAC, an attribute such as serialNumber or CN or "
		       "a dotted OID, or a kind of alternative name: DNS, IP, URI, email, UPN, RID",
		       (int)span_sub(text, 0, 64).len, (const char *)text.p);
}

/* ---- values ---- */

/* Twelve hexadecimal digits, bare or in equal groups: 00:11:22:33:44:55, 0011.2233.4455. */
static bool put_mac(struct span value, struct buf *out)
{
	char digits[MAC_DIGITS];
	size_t n = 0, group = 0, i;
	char mark = '\0';

	for (i = 0; i < value.len; i++) {
		char c = (char)value.p[i];

		if (isxdigit((unsigned char)c) && n < MAC_DIGITS) {
			digits[n++] = (char)tolower((unsigned char)c);
			continue;
		}
		if (!mark) {
			mark = c;
			group = n;
		}
		if (c != mark || !strchr(":-.", c) || (group != 2 && group != 4 && group != 6) ||
		    n % group != 0 || n == MAC_DIGITS || value.p[i - 1] == (uint8_t)c)
			return false;
	}
	if (n != MAC_DIGITS || (mark && value.len != n + n / group - 1))
		return false;
	buf_put(out, span_of(digits, n));
	return true;
}

/* An IP address or an OID in the one form that requests are printed in. */
static bool put_parsed(const char *type, struct span value, struct buf *out)
{
	BUF text = BUF_INIT;
	BUF name = BUF_INIT;
	BUF list = BUF_INIT;
	struct der_reader names;
	struct san san;
	size_t seq = der_open(&list, DER_SEQUENCE);

	buf_printf(&text, "%s:%.*s", type, (int)value.len, (const char *)value.p);
	if (!buf_cstr(&text) || san_parse_text(buf_cstr(&text), &list, NULL) != OK)
		return false;
	der_close(&list, seq);
	return buf_check(&list, NULL) == OK && san_begin(buf_span(&list), &names, NULL) == OK &&
	       san_next(&names, &san) && san_put_text(out, &san, NULL) == OK;
}

static void put_folded(struct span value, struct buf *out)
{
	size_t i;

	for (i = 0; i < value.len; i++)
		buf_put_byte(out, value.p[i] >= 'A' && value.p[i] <= 'Z'
				      ? (uint8_t)(value.p[i] - 'A' + 'a')
				      : value.p[i]);
}

static bool is_plain(struct span value)
{
	size_t i;

	for (i = 0; i < value.len; i++)
		if (value.p[i] < ' ' || value.p[i] == 0x7f)
			return false;
	return value.len > 0 && value.len <= DEVICE_VALUE_MAX;
}

enum result device_put_key(const char *type, struct span value, struct buf *out, struct err *err)
{
	bool good = is_plain(value);

	if (good && strcmp(type, MAC) == 0)
		good = put_mac(value, out);
	else if (good && (strcmp(type, "IP") == 0 || strcmp(type, "RID") == 0))
		good = put_parsed(type, value, out);
	else if (good)
		put_folded(value, out);
	if (!good)
		return err_set(err, ERR_SYNTAX, "\"%.*s\" is no value of type %s",
			       (int)span_sub(value, 0, 64).len, (const char *)value.p, type);
	return buf_check(out, err);
}

/* ---- requests ---- */

void device_keys_clear(struct device_keys *k)
{
	buf_clear(&k->text);
	k->n = 0;
}

/* The texts lie one behind the other: where each begins is filled in when all are there. */
static void add(struct device_keys *k, const char *type, struct span value)
{
	size_t before = k->text.len;

	if (k->n == DEVICE_KEYS_MAX || device_put_key(type, value, &k->text, NULL) != OK)
		return;
	(void)snprintf(k->keys[k->n].type, STORE_NAME_MAX, "%s", type);
	k->keys[k->n++].key.len = k->text.len - before;
}

static void add_both(struct device_keys *k, const char *type, struct span value)
{
	add(k, type, value);
	add(k, MAC, value);
}

static void add_subject(struct device_keys *k, struct span subject)
{
	char type[STORE_NAME_MAX];
	struct name_iter it;
	struct name_attr a;

	name_iter_init(&it, subject);
	while (name_next(&it, &a)) {
		BUF value = BUF_INIT;

		if (put_attribute(a.type, type) &&
		    name_value_utf8(a.tag, a.value, &value, NULL) == OK)
			add_both(k, type, buf_span(&value));
	}
}

static void add_sans(struct device_keys *k, struct span exts)
{
	struct der_reader names;
	struct ext ext = { 0 };
	struct san san;
	size_t i;

	if (ext_find(exts, OID_SUBJECT_ALT_NAME, &ext, NULL) != OK ||
	    san_begin(ext.value, &names, NULL) != OK)
		return;
	while (san_next(&names, &san)) {
		BUF value = BUF_INIT;

		for (i = 0; i < ARRAY_LEN(san_kinds); i++)
			if (san_kinds[i] == san.kind && san_put_text(&value, &san, NULL) == OK)
				add_both(k, san_kind_name(san.kind), buf_span(&value));
	}
}

enum result device_keys_read(struct device_keys *out, struct span subject, struct span exts,
			     struct err *err)
{
	const uint8_t *at;
	size_t i;

	out->n = 0;
	add_subject(out, subject);
	add_sans(out, exts);
	TRY(buf_check(&out->text, err));
	at = out->text.data;
	for (i = 0; i < out->n; i++) {
		out->keys[i].key.p = at;
		at += out->keys[i].key.len;
	}
	return OK;
}
