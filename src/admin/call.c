/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/call.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/percent.h"
#include "pki/name.h"
#include "pki/pem.h"
#include "pki/pubkey.h"
#include "pki/san.h"

/* ---- what was sent ---- */

/* The undecoded value of a parameter. */
static bool find_param(struct span query, const char *name, struct span *value)
{
	size_t end, equals;

	for (; query.len; query = span_sub(query, end + 1, SIZE_MAX)) {
		struct span pair;

		end = span_find(query, '&');
		pair = span_sub(query, 0, end);
		equals = span_find(pair, '=');
		if (span_eq_str(span_sub(pair, 0, equals), name)) {
			*value = span_sub(pair, equals + 1, SIZE_MAX);
			return true;
		}
	}
	return false;
}

enum result admin_call_query(const struct admin_call *call, const char *name, struct buf *out,
			     bool *given, struct err *err)
{
	struct span value = SPAN_NONE;

	*given = find_param(call->req->query, name, &value);
	TRY(percent_parse(value, out, err));
	if (memchr(out->data ? out->data : (const uint8_t *)"", 0, out->len))
		return err_set(err, ERR_BAD_REQUEST, "%s: holds a NUL", name);
	return buf_cstr(out) ? OK : err_nomem(err);
}

enum result admin_call_query_number(const struct admin_call *call, const char *name,
				    int64_t otherwise, int64_t *out, struct err *err)
{
	BUF text = BUF_INIT;
	char *end = NULL;
	const char *s;
	long long n;
	bool given;

	TRY(admin_call_query(call, name, &text, &given, err));
	s = (const char *)text.data;
	errno = 0;
	n = given ? strtoll(s, &end, 10) : otherwise;
	if (given && (errno || end == s || *end || n < 0))
		return err_set(err, ERR_BAD_REQUEST, "%s: \"%.32s\" is not a number", name, s);
	*out = n;
	return OK;
}

enum result admin_call_check_fields(const struct admin_call *call, const char *const *known,
				    struct err *err)
{
	const char *field;
	json_t *value;
	size_t i;

	json_object_foreach(call->body, field, value)
	{
		for (i = 0; known[i]; i++)
			if (strcmp(field, known[i]) == 0)
				break;
		if (!known[i])
			return err_set(err, ERR_BAD_REQUEST, "field \"%.64s\" is not known here",
				       field);
	}
	return OK;
}

enum result admin_call_text(const struct admin_call *call, const char *field, const char **out,
			    struct err *err)
{
	const json_t *value = json_object_get(call->body, field);

	if (value && !json_is_null(value) && !json_is_string(value))
		return err_set(err, ERR_BAD_REQUEST, "field \"%s\" must be text", field);
	*out = json_string_value(value);
	return OK;
}

enum result admin_call_duration(const struct admin_call *call, const char *field, int64_t *out,
				struct err *err)
{
	const char *text = NULL;
	enum result r;

	TRY(admin_call_text(call, field, &text, err));
	if (!text)
		return OK;
	r = clock_parse_duration(text, out, err);
	return r == OK ? OK : err_prefix(err, ERR_BAD_REQUEST, "field \"%s\"", field);
}

/* ---- what is answered ---- */

static json_t *of_buf(const struct buf *text)
{
	return text->failed ? NULL : json_stringn((const char *)text->data, text->len);
}

json_t *admin_call_json_hex(struct span bytes)
{
	BUF hex = BUF_INIT;

	hex_put(&hex, bytes);
	return of_buf(&hex);
}

json_t *admin_call_json_text(struct span text)
{
	json_t *value = json_stringn(text.len ? (const char *)text.p : "", text.len);

	return value ? value : admin_call_json_hex(text);
}

json_t *admin_call_json_time(int64_t t)
{
	char text[CLOCK_TEXT_MAX];

	clock_format(t, text);
	return json_string(text);
}

json_t *admin_call_json_pem(const char *label, struct span der)
{
	BUF pem = BUF_INIT;

	pem_put(&pem, label, der);
	return of_buf(&pem);
}

json_t *admin_call_json_name(struct span name)
{
	BUF text = BUF_INIT;

	if (name_put_text(&text, name, NULL) != OK)
		return admin_call_json_hex(name);
	return admin_call_json_text(buf_span(&text));
}

json_t *admin_call_json_sans(struct span value)
{
	json_t *list = json_array();
	struct der_reader names;
	struct san san;

	if (value.len == 0 || san_begin(value, &names, NULL) != OK)
		return list;
	while (san_next(&names, &san)) {
		BUF text = BUF_INIT;

		buf_printf(&text, "%s:", san_kind_name(san.kind));
		if (san_put_text(&text, &san, NULL) == OK)
			(void)json_array_append_new(list, admin_call_json_text(buf_span(&text)));
	}
	return list;
}

json_t *admin_call_json_key(struct span spki)
{
	struct pubkey_info info;

	if (pubkey_inspect(spki, &info, NULL) != OK)
		return json_string("unknown");
	if (info.kind == KEY_RSA)
		return json_sprintf("RSA %u", info.bits);
	return json_string(key_kind_name(info.kind));
}

enum result admin_call_answer(struct admin_call *call, json_t *answer, struct err *err)
{
	if (!answer)
		return err_nomem(err);
	call->answer = answer;
	return OK;
}
