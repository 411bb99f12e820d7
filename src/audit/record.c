/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/hex.h"

/* In the order in which they stand in the text, and are hashed. */
enum field_kind { FIELD_TEXT, FIELD_OCTETS };

static const struct field {
	const char *name;
	enum field_kind kind;
	size_t at;
} fields[AUDIT_FIELDS] = {
	{ "kind", FIELD_TEXT, offsetof(struct store_event, kind) },
	{ "endpoint", FIELD_TEXT, offsetof(struct store_event, endpoint) },
	{ "transaction", FIELD_OCTETS, offsetof(struct store_event, transaction) },
	{ "ca", FIELD_TEXT, offsetof(struct store_event, ca) },
	{ "serial", FIELD_OCTETS, offsetof(struct store_event, serial) },
	{ "actor", FIELD_TEXT, offsetof(struct store_event, actor) },
	{ "reason", FIELD_TEXT, offsetof(struct store_event, reason) },
	{ "detail", FIELD_TEXT, offsetof(struct store_event, detail) },
};

#define HEX_SUFFIX "_hex"
#define NAME_MAX_ 32

void audit_record_clear(struct audit_record *r)
{
	size_t i;

	buf_clear(&r->hash);
	for (i = 0; i < AUDIT_FIELDS; i++)
		buf_clear(&r->owned[i]);
	*r = (struct audit_record){ 0 };
}

/* ---- writing ---- */

static json_t *hex_json(struct span octets)
{
	BUF hex = BUF_INIT;

	hex_put(&hex, octets);
	return hex.failed ? NULL : json_stringn((const char *)hex.data, hex.len);
}

static bool set_octets(json_t *o, const char *name, struct span octets)
{
	return octets.len == 0 || json_object_set_new(o, name, hex_json(octets)) == 0;
}

/* Text that a device sent need not be UTF-8, which JSON must be. */
static bool set_text(json_t *o, const char *name, const char *text)
{
	char hex_name[NAME_MAX_];

	if (!text)
		return true;
	if (json_object_set_new(o, name, json_string(text)) == 0)
		return true;
	(void)snprintf(hex_name, sizeof(hex_name), "%s" HEX_SUFFIX, name);
	return json_object_set_new(o, hex_name, hex_json(span_str(text))) == 0;
}

static bool set_fields(json_t *o, const struct store_event *e)
{
	char at[CLOCK_TEXT_MAX];
	bool good;
	size_t i;

	clock_format(e->time, at);
	good = json_object_set_new(o, "id", json_integer(e->id)) == 0 &&
	       json_object_set_new(o, "time", json_string(at)) == 0;
	for (i = 0; good && i < AUDIT_FIELDS; i++) {
		const void *field = (const char *)e + fields[i].at;

		good = fields[i].kind == FIELD_TEXT
			   ? set_text(o, fields[i].name, *(const char *const *)field)
			   : set_octets(o, fields[i].name, *(const struct span *)field);
	}
	return good && set_octets(o, "hash", e->hash);
}

json_t *audit_record_json(const struct store_event *event)
{
	json_t *o = json_object();

	if (o && set_fields(o, event))
		return o;
	json_decref(o);
	return NULL;
}

enum result audit_record_put(const json_t *value, struct buf *out, struct err *err)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	if (!text)
		return err_nomem(err);
	buf_put_str(out, text);
	free(text);
	return buf_check(out, err);
}

/* ---- reading ---- */

static enum result get_string(const json_t *o, const char *name, const char **out, struct err *err)
{
	const json_t *value = json_object_get(o, name);

	if (value && !json_is_string(value))
		return err_set(err, ERR_SYNTAX, "\"%s\" is no text", name);
	*out = json_string_value(value);
	return OK;
}

static enum result get_octets(const json_t *o, const char *name, struct buf *into, struct err *err)
{
	const char *text = NULL;
	enum result r;

	TRY(get_string(o, name, &text, err));
	r = hex_parse(span_str(text), into, err);
	return r == OK ? OK : err_prefix(err, r, "\"%s\"", name);
}

static enum result get_text(const json_t *o, const char *name, struct buf *into, const char **out,
			    struct err *err)
{
	char hex_name[NAME_MAX_];

	TRY(get_string(o, name, out, err));
	(void)snprintf(hex_name, sizeof(hex_name), "%s" HEX_SUFFIX, name);
	if (*out || !json_object_get(o, hex_name))
		return OK;
	TRY(get_octets(o, hex_name, into, err));
	*out = buf_cstr(into);
	return *out ? OK : err_nomem(err);
}

static enum result get_fields(const json_t *o, struct audit_record *r, struct err *err)
{
	size_t i;

	for (i = 0; i < AUDIT_FIELDS; i++) {
		void *field = (char *)&r->event + fields[i].at;
		struct buf *owned = &r->owned[i];

		if (fields[i].kind == FIELD_TEXT) {
			TRY(get_text(o, fields[i].name, owned, field, err));
			continue;
		}
		TRY(get_octets(o, fields[i].name, owned, err));
		*(struct span *)field = buf_span(owned);
	}
	TRY(get_octets(o, "hash", &r->hash, err));
	r->event.hash = buf_span(&r->hash);
	return OK;
}

enum result audit_record_time(const char *text, int64_t *out, struct err *err)
{
	struct tm tm = { 0 };
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;

	if (!end || *end)
		return err_set(err, ERR_SYNTAX, "\"%.40s\" is no time like 2026-11-21T20:44:00Z",
			       text ? text : "");
	*out = timegm(&tm);
	return OK;
}

static enum result parse(const json_t *value, struct audit_record *r, struct err *err)
{
	const char *at = NULL;

	if (!json_is_integer(json_object_get(value, "id")))
		return err_set(err, ERR_SYNTAX, "\"id\" is missing or no number");
	r->event.id = json_integer_value(json_object_get(value, "id"));
	TRY(get_string(value, "time", &at, err));
	TRY(audit_record_time(at, &r->event.time, err));
	TRY(get_fields(value, r, err));
	if (!r->event.kind || r->hash.len != STORE_HASH)
		return err_set(err, ERR_SYNTAX, "\"kind\" or \"hash\" is missing");
	return OK;
}

enum result audit_record_parse(const json_t *value, struct audit_record *out, struct err *err)
{
	CLEANUP(audit_record_clear) struct audit_record r = { 0 };

	TRY(parse(value, &r, err));
	*out = r;
	r = (struct audit_record){ 0 };
	return OK;
}
