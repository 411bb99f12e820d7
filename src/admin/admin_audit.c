/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "admin/call.h"
#include "audit/audit.h"
#include "audit/range.h"
#include "audit/record.h"

#define PAGE 100
#define PAGE_MAX 1000

/* ---- events ---- */

struct page {
	json_t *list;
	int64_t last;
	bool newest_first;
};

static enum result collect(void *ctx, const struct store_event *e, struct err *err)
{
	struct page *page = ctx;
	json_t *value = audit_record_json(e);
	int failed = page->newest_first ? json_array_insert_new(page->list, 0, value)
					: json_array_append_new(page->list, value);

	if (failed)
		return err_nomem(err);
	page->last = page->newest_first && page->last ? page->last : e->id;
	return OK;
}

/* Oldest first, also where the newest are asked for. "next" is for the ones that come later. */
enum result admin_audit_list(struct admin_call *call, struct err *err)
{
	struct store_event_filter filter = { 0 };
	struct page page = { 0 };
	int64_t limit, newest;
	enum result r;

	TRY(admin_call_query_number(call, "after", 0, &filter.after_id, err));
	TRY(admin_call_query_number(call, "limit", PAGE, &limit, err));
	TRY(admin_call_query_number(call, "newest", 0, &newest, err));
	filter.limit = (unsigned)(limit < 1 ? 1 : limit > PAGE_MAX ? PAGE_MAX : limit);
	filter.newest_first = page.newest_first = newest != 0;
	page.list = json_array();
	r = store_each_event(call->api->store, &filter, collect, &page, err);
	if (r != OK) {
		json_decref(page.list);
		return r;
	}
	if (page.last == 0)
		page.last = filter.after_id;
	return admin_call_answer(
	    call, json_pack("{s:o, s:I}", "events", page.list, "next", (json_int_t)page.last), err);
}

/* ---- seals ---- */

static RESULT get_audit(const struct admin_call *call, struct audit **out, struct err *err)
{
	*out = call->api->audit;
	return *out ? OK : err_set(err, ERR_BUSY, "the audit key is not open");
}

enum result admin_audit_key(struct admin_call *call, struct err *err)
{
	struct audit *audit = NULL;

	TRY(get_audit(call, &audit, err));
	return admin_call_answer(
	    call,
	    json_pack("{s:o}", "public_key", admin_call_json_pem("PUBLIC KEY", audit_spki(audit))),
	    err);
}

/* Who took a copy of the record, and of what, is part of the record. */
static RESULT record_export(const struct admin_call *call, const struct audit_seal *seal,
			    struct err *err)
{
	char reason[96];
	struct store_event event = {
		.time = seal->time, .kind = "audit.exported", .actor = call->actor, .reason = reason
	};

	(void)snprintf(reason, sizeof(reason), "events %lld to %lld exported",
		       (long long)seal->first, (long long)seal->last);
	return store_add_event(call->api->store, &event, err);
}

enum result admin_audit_seal(struct admin_call *call, struct err *err)
{
	static const char *const known[] = { "from", "to", NULL };
	CLEANUP(audit_sealed_clear) struct audit_sealed sealed = { 0 };
	const char *from = NULL, *to = NULL;
	struct audit *audit = NULL;
	int64_t first, last;

	TRY(admin_call_check_fields(call, known, err));
	TRY(admin_call_text(call, "from", &from, err));
	TRY(admin_call_text(call, "to", &to, err));
	TRY(get_audit(call, &audit, err));
	TRY(audit_range_find(call->api->store, from, to, &first, &last, err));
	TRY(audit_seal_events(audit, call->c, first, last, &sealed, err));
	TRY(record_export(call, &sealed.seal, err));
	return admin_call_answer(call, audit_sealed_json(&sealed), err);
}
