/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "admin/page.h"
#include "base/hex.h"
#include "ca/device_csv.h"
#include "store/device.h"

/* ---- reading ---- */

static json_t *device_json(const struct store_device *d)
{
	return json_pack("{s:I, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:s}", "id", (json_int_t)d->id,
			 "list", d->list, "type", d->type, "value",
			 admin_call_json_text(buf_span(&d->value)), "use",
			 d->once ? "once" : "ever", "used",
			 d->used ? admin_call_json_time(d->used) : json_null(), "note",
			 d->note.len ? admin_call_json_text(buf_span(&d->note)) : json_null(),
			 "created", admin_call_json_time(d->created), "created_by", d->created_by);
}

static enum result collect(void *ctx, const struct store_device *d, struct err *err)
{
	struct admin_page *page = ctx;

	if (!admin_page_has_room(page))
		return OK;
	return admin_page_add(page, device_json(d), err, "%lld", (long long)d->id);
}

/* ?type=&value=, in the form in which they are compared. */
static RESULT read_key(const struct admin_call *call, struct buf *key, struct err *err)
{
	char type[STORE_NAME_MAX];
	BUF name = BUF_INIT;
	BUF value = BUF_INIT;
	bool named, valued;

	TRY(admin_call_query(call, "type", &name, &named, err));
	TRY(admin_call_query(call, "value", &value, &valued, err));
	if (named != valued)
		return err_set(err, ERR_BAD_REQUEST, "type and value go together");
	if (!named)
		return OK;
	TRY(device_type_parse(buf_span(&name), type, err));
	return device_put_key(type, buf_span(&value), key, err);
}

enum result admin_device_list(struct admin_call *call, struct err *err)
{
	CLEANUP(admin_page_clear) struct admin_page page = { 0 };
	struct store_device_filter filter = { 0 };
	BUF list = BUF_INIT;
	BUF key = BUF_INIT;
	bool given;

	TRY(admin_page_open(&page, call, "devices", err));
	TRY(admin_page_number(&page, &filter.after_id, err));
	TRY(admin_call_query(call, "list", &list, &given, err));
	TRY(read_key(call, &key, err));
	filter.list = given ? (const char *)list.data : NULL;
	filter.key = buf_span(&key);
	filter.limit = admin_page_ask(&page);
	TRY(store_each_device(call->api->store, &filter, collect, &page, err));
	return admin_page_answer(call, &page, err);
}

static enum result collect_list(void *ctx, const struct store_device_list *l, struct err *err)
{
	struct admin_page *page = ctx;

	if (!admin_page_is_behind(page, l->name) || !admin_page_has_room(page))
		return OK;
	return admin_page_add(page,
			      json_pack("{s:s, s:I, s:I, s:I}", "name", l->name, "entries",
					(json_int_t)l->entries, "once", (json_int_t)l->once, "used",
					(json_int_t)l->used),
			      err, "%s", l->name);
}

enum result admin_device_lists(struct admin_call *call, struct err *err)
{
	CLEANUP(admin_page_clear) struct admin_page page = { 0 };

	TRY(admin_page_open(&page, call, "lists", err));
	TRY(store_each_device_list(call->api->store, collect_list, &page, err));
	return admin_page_answer(call, &page, err);
}

/* The device that the path names. */
static RESULT find(const struct admin_call *call, struct store_device *out, struct err *err)
{
	char *end = NULL;
	long long id = strtoll(admin_call_arg(call), &end, 10);
	enum result r = ERR_NOT_FOUND;

	if (end != admin_call_arg(call) && !*end)
		r = store_find_device(call->api->store, id, out, err);
	if (r == ERR_NOT_FOUND)
		return err_set(err, r, "there is no device %.32s", admin_call_arg(call));
	return r;
}

enum result admin_device_show(struct admin_call *call, struct err *err)
{
	CLEANUP(store_device_clear) struct store_device d = { 0 };

	TRY(find(call, &d, err));
	return admin_call_answer(call, device_json(&d), err);
}

/* ---- changing ---- */

static RESULT check_list(const char *list, struct err *err)
{
	size_t n =
	    strspn(list, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	if (n == 0 || list[n] || n >= STORE_NAME_MAX)
		return err_set(err, ERR_BAD_REQUEST,
			       "\"%.80s\" is no list's name: 1 to %d of A-Z, a-z, 0-9, '.', '_' "
			       "and '-'",
			       list, STORE_NAME_MAX - 1);
	return OK;
}

static RESULT read_use(const struct admin_call *call, bool *once, struct err *err)
{
	const char *use = NULL;

	TRY(admin_call_text(call, "use", &use, err));
	if (use && strcmp(use, "once") != 0 && strcmp(use, "ever") != 0)
		return err_set(err, ERR_BAD_REQUEST, "field \"use\" must be once or ever");
	*once = use && strcmp(use, "once") == 0;
	return OK;
}

static RESULT add(const struct admin_call *call, struct store_device_import *import,
		  const char *kind, const char *reason, uint64_t *added, struct err *err)
{
	import->now = clock_now(call->api->clock);
	import->actor = call->actor;
	import->event = (struct store_event){
		.time = import->now, .kind = kind, .actor = call->actor, .reason = reason
	};
	TRY(store_add_devices(call->api->store, import, added, err));
	log_info(call->api->log, "devices listed", LOG_STR("list", import->list),
		 LOG_INT("added", *added), LOG_STR("actor", call->actor));
	return OK;
}

/* The file is on record by its hash: whoever has it can show what was imported. */
static RESULT describe(struct crypto *c, const char *list, struct span csv, size_t n,
		       struct buf *out, struct err *err)
{
	uint8_t digest[DIGEST_MAX];

	TRY(crypto_digest(c, DIGEST_SHA256, &csv, 1, digest, err));
	buf_printf(out, "%zu devices for list \"%s\", from CSV with SHA-256 ", n, list);
	hex_put(out, span_of(digest, digest_size(DIGEST_SHA256)));
	return buf_cstr(out) ? OK : err_nomem(err);
}

enum result admin_device_import(struct admin_call *call, struct err *err)
{
	static const char *const known[] = { "csv", "use", "keep_existing", NULL };
	CLEANUP(device_csv_clear) struct device_csv csv = { .n = 0 };
	struct device_csv_options options = { .once = false };
	struct store_device_import import = { .list = admin_call_arg(call) };
	const json_t *text = json_object_get(call->body, "csv"),
		     *keep = json_object_get(call->body, "keep_existing");
	struct span file = span_of(json_string_value(text), json_string_length(text));
	uint64_t added = 0;
	BUF reason = BUF_INIT;

	TRY(admin_call_check_fields(call, known, err));
	TRY(check_list(import.list, err));
	TRY(read_use(call, &options.once, err));
	if (!json_is_string(text) || (keep && !json_is_boolean(keep)))
		return err_set(err, ERR_BAD_REQUEST,
			       "field \"csv\" must be text, \"keep_existing\" true or false");
	TRY(device_csv_parse(&csv, file, &options, NULL, err));
	import.entries = csv.entries;
	import.n = csv.n;
	import.keep_existing = json_is_true(keep);
	TRY(describe(call->c, import.list, file, csv.n, &reason, err));
	TRY(add(call, &import, "devices.imported", buf_cstr(&reason), &added, err));
	return admin_call_answer(call,
				 json_pack("{s:s, s:I, s:I}", "list", import.list, "added",
					   (json_int_t)added, "kept", (json_int_t)(csv.n - added)),
				 err);
}

static RESULT read_entry(const struct admin_call *call, const char **list,
			 struct store_device_entry *e, char type[STORE_NAME_MAX], struct buf *key,
			 struct err *err)
{
	const char *name = NULL, *value = NULL, *note = NULL;

	TRY(admin_call_text(call, "list", list, err));
	TRY(admin_call_text(call, "type", &name, err));
	TRY(admin_call_text(call, "value", &value, err));
	TRY(admin_call_text(call, "note", &note, err));
	TRY(read_use(call, &e->once, err));
	if (!*list || !name || !value)
		return err_set(err, ERR_BAD_REQUEST, "list, type and value are needed");
	TRY(check_list(*list, err));
	TRY(device_type_parse(span_str(name), type, err));
	TRY(device_put_key(type, span_str(value), key, err));
	e->type = type;
	e->key = buf_span(key);
	e->value = span_str(value);
	e->note = span_str(note);
	return OK;
}

static json_t *added_json(const char *list, const struct store_device_entry *e)
{
	return json_pack("{s:s, s:s, s:s%, s:s}", "list", list, "type", e->type, "value",
			 (const char *)e->value.p, e->value.len, "use", e->once ? "once" : "ever");
}

enum result admin_device_add(struct admin_call *call, struct err *err)
{
	static const char *const known[] = { "list", "type", "value", "use", "note", NULL };
	struct store_device_entry e = { .line = 0 };
	struct store_device_import import = { .entries = &e, .n = 1 };
	char type[STORE_NAME_MAX];
	uint64_t added = 0;
	BUF key = BUF_INIT;
	BUF reason = BUF_INIT;

	TRY(admin_call_check_fields(call, known, err));
	TRY(read_entry(call, &import.list, &e, type, &key, err));
	buf_printf(&reason, "%s \"%.*s\" for list \"%s\", %s", e.type, (int)e.value.len,
		   (const char *)e.value.p, import.list, e.once ? "once" : "ever");
	if (!buf_cstr(&reason))
		return err_nomem(err);
	TRY(add(call, &import, "device.added", buf_cstr(&reason), &added, err));
	return admin_call_answer(call, added_json(import.list, &e), err);
}

enum result admin_device_remove(struct admin_call *call, struct err *err)
{
	CLEANUP(store_device_clear) struct store_device d = { 0 };
	struct store_event event = { .time = clock_now(call->api->clock),
				     .kind = "device.removed",
				     .actor = call->actor };
	BUF reason = BUF_INIT;

	TRY(find(call, &d, err));
	buf_printf(&reason, "%s \"%.*s\" of list \"%s\"", d.type, (int)d.value.len,
		   d.value.len ? (const char *)d.value.data : "", d.list);
	event.reason = buf_cstr(&reason);
	TRY(buf_check(&reason, err));
	TRY(store_remove_device(call->api->store, d.id, &event, err));
	return admin_call_answer(call, device_json(&d), err);
}
