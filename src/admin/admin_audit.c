/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "admin/page.h"
#include "audit/audit.h"
#include "audit/range.h"
#include "audit/record.h"

/* ---- events ---- */

struct listing {
	struct admin_page page;
	int64_t last;
	bool newest;
};

static void listing_clear(struct listing *l)
{
	admin_page_clear(&l->page);
}

static enum result collect(void *ctx, const struct store_event *e, struct err *err)
{
	struct listing *l = ctx;

	if (!admin_page_has_room(&l->page))
		return OK;
	if (e->id > l->last)
		l->last = e->id;
	if (!l->newest)
		return admin_page_add(&l->page, audit_record_json(e), err, "%lld",
				      (long long)e->id);
	return json_array_insert_new(l->page.rows, 0, audit_record_json(e)) == 0 ? OK
										 : err_nomem(err);
}

/*
 * Oldest first. ?newest=1: the latest of them alone, in the same order. "position" is the cursor
 * behind the last one, also where there is nothing behind it yet: for whoever follows the record.
 */
enum result admin_audit_list(struct admin_call *call, struct err *err)
{
	CLEANUP(listing_clear) struct listing l = { .last = 0 };
	struct store_event_filter filter = { 0 };
	char last[24];
	int64_t newest, after;

	TRY(admin_page_open(&l.page, call, "events", err));
	TRY(admin_page_number(&l.page, &filter.after_id, err));
	TRY(admin_call_query_number(call, "after", 0, &after, err));
	TRY(admin_call_query_number(call, "newest", 0, &newest, err));
	if (filter.after_id < after)
		filter.after_id = after;
	l.last = filter.after_id;
	filter.newest_first = l.newest = newest != 0;
	filter.limit = admin_page_ask(&l.page);
	TRY(store_each_event(call->api->store, &filter, collect, &l, err));
	if (l.newest)
		l.page.more = false;
	TRY(admin_page_answer(call, &l.page, err));
	(void)snprintf(last, sizeof(last), "%lld", (long long)l.last);
	(void)json_object_set_new(call->answer, "position",
				  l.last ? admin_page_cursor(&l.page, span_str(last))
					 : json_null());
	return OK;
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
