/* SPDX-License-Identifier: Apache-2.0 */
#include "token/uri.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/percent.h"

#define SCHEME "pkcs11:"

enum attribute_kind {
	OCTETS, /* into a struct buf */
	SLOT,
	TYPE,
	PIN_SOURCE,
	PIN_VALUE,
	MODULE,
};

static const struct attribute {
	const char *name;
	enum attribute_kind kind;
	size_t at;
	bool in_query;
} attributes[] = {
	{ "token", OCTETS, offsetof(struct token_uri, token), false },
	{ "manufacturer", OCTETS, offsetof(struct token_uri, manufacturer), false },
	{ "serial", OCTETS, offsetof(struct token_uri, serial), false },
	{ "model", OCTETS, offsetof(struct token_uri, model), false },
	{ "slot-id", SLOT, 0, false },
	{ "object", OCTETS, offsetof(struct token_uri, object), false },
	{ "id", OCTETS, offsetof(struct token_uri, id), false },
	{ "type", TYPE, 0, false },
	{ "pin-source", PIN_SOURCE, offsetof(struct token_uri, pin_file), true },
	{ "pin-value", PIN_VALUE, 0, true },
	{ "module-name", MODULE, 0, true },
	{ "module-path", MODULE, 0, true },
};

void token_uri_clear(struct token_uri *u)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(attributes); i++)
		if (attributes[i].kind == OCTETS || attributes[i].kind == PIN_SOURCE)
			buf_clear((struct buf *)((char *)u + attributes[i].at));
}

static RESULT read_octets(const struct attribute *a, struct span value, struct buf *out,
			  struct err *err)
{
	if (out->len)
		return err_set(err, ERR_USAGE, "RFC 7512 2.3: %s stands twice", a->name);
	TRY(percent_parse(value, out, err));
	if (out->len == 0)
		return err_set(err, ERR_USAGE, "%s is empty", a->name);
	if (memchr(out->data, 0, out->len) && strcmp(a->name, "id") != 0)
		return err_set(err, ERR_USAGE, "%s has a NUL in it", a->name);
	return buf_check(out, err);
}

static RESULT read_slot(struct span value, struct token_uri *out, struct err *err)
{
	unsigned long n = 0;
	size_t i;

	for (i = 0; i < value.len && i < 10 && value.p[i] >= '0' && value.p[i] <= '9'; i++)
		n = n * 10 + (unsigned long)(value.p[i] - '0');
	if (value.len == 0 || i < value.len)
		return err_set(err, ERR_USAGE, "slot-id is no number");
	out->has_slot = true;
	out->slot = n;
	return OK;
}

/* "file:/path" (RFC 7512 2.4), or the path alone. */
static RESULT read_pin_source(const struct attribute *a, struct span value, struct buf *out,
			      struct err *err)
{
	if (span_eq(span_sub(value, 0, 5), SPAN_LIT("file:")))
		value = span_sub(value, 5, SIZE_MAX);
	TRY(read_octets(a, value, out, err));
	if (out->data[0] != '/')
		return err_set(err, ERR_USAGE, "pin-source: write file:/PATH");
	return OK;
}

static RESULT read_value(const struct attribute *a, struct span value, struct token_uri *out,
			 struct err *err)
{
	struct buf *octets = (struct buf *)((char *)out + a->at);

	switch (a->kind) {
	case OCTETS:
		return read_octets(a, value, octets, err);
	case SLOT:
		return read_slot(value, out, err);
	case TYPE:
		if (span_eq(value, SPAN_LIT("private")))
			return OK;
		return err_set(err, ERR_USAGE, "type: a key here is private");
	case PIN_SOURCE:
		return read_pin_source(a, value, octets, err);
	case PIN_VALUE:
		return err_set(err, ERR_USAGE,
			       "pin-value: a PIN stands in no URI; write "
			       "pin-source=file:/PATH or set keys.pkcs11.pin");
	case MODULE:
		return err_set(err, ERR_USAGE, "%s: set keys.pkcs11.module instead", a->name);
	}
	return err_set(err, ERR_INTERNAL, "attribute of no kind");
}

static RESULT read_attribute(struct span text, bool in_query, struct token_uri *out,
			     struct err *err)
{
	size_t equals = span_find(text, '='), i;
	struct span name = span_sub(text, 0, equals);

	for (i = 0; i < ARRAY_LEN(attributes); i++)
		if (attributes[i].in_query == in_query && span_eq_str(name, attributes[i].name))
			break;
	if (i == ARRAY_LEN(attributes) || equals == text.len)
		return err_set(err, ERR_USAGE, "\"%.*s\" finds no private key here",
			       (int)(name.len < 32 ? name.len : 32), (const char *)name.p);
	return read_value(&attributes[i], span_sub(text, equals + 1, SIZE_MAX), out, err);
}

static RESULT read_list(struct span list, char between, bool in_query, struct token_uri *out,
			struct err *err)
{
	while (list.len) {
		size_t end = span_find(list, (uint8_t)between);

		TRY(read_attribute(span_sub(list, 0, end), in_query, out, err));
		list = span_sub(list, end + 1, SIZE_MAX);
	}
	return OK;
}

static RESULT parse(struct span text, struct token_uri *out, struct err *err)
{
	size_t query;

	if (text.len > TOKEN_URI_MAX)
		return err_set(err, ERR_USAGE, "%zu characters, at most %d", text.len,
			       TOKEN_URI_MAX);
	if (!span_eq(span_sub(text, 0, sizeof(SCHEME) - 1), SPAN_LIT(SCHEME)))
		return err_set(err, ERR_USAGE, "does not begin with " SCHEME);
	text = span_sub(text, sizeof(SCHEME) - 1, SIZE_MAX);
	query = span_find(text, '?');
	TRY(read_list(span_sub(text, 0, query), ';', false, out, err));
	return read_list(span_sub(text, query + 1, SIZE_MAX), '&', true, out, err);
}

enum result token_uri_parse(struct span text, struct token_uri *out, struct err *err)
{
	CLEANUP(token_uri_clear) struct token_uri u = { .has_slot = false };

	if (parse(text, &u, err) != OK)
		return err_prefix(err, ERR_USAGE, "PKCS#11 URI");
	*out = u;
	u = (struct token_uri){ .has_slot = false };
	return OK;
}

enum result token_uri_write(const struct token_uri *u, struct buf *out, struct err *err)
{
	const char *before = "";
	size_t i;

	buf_put_str(out, SCHEME);
	for (i = 0; i < ARRAY_LEN(attributes); i++) {
		const struct buf *value = (const struct buf *)((const char *)u + attributes[i].at);

		if (attributes[i].kind == SLOT && u->has_slot)
			buf_printf(out, "%sslot-id=%lu", before, u->slot);
		else if (attributes[i].kind == OCTETS && value->len) {
			buf_printf(out, "%s%s=", before, attributes[i].name);
			percent_put(out, buf_span(value));
		} else
			continue;
		before = ";";
	}
	if (u->pin_file.len) {
		buf_put_str(out, "?pin-source=file:");
		percent_put(out, buf_span(&u->pin_file));
	}
	return buf_check(out, err);
}
