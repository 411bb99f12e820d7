/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "admin/page.h"
#include "ca/approval.h"
#include "der/oid.h"
#include "pki/ext.h"

#define REASON_MAX 256

/* ---- reading ---- */

static const char *state_of(const struct store_request *r, int64_t now)
{
	static const char *const names[] = { [STORE_REQUEST_PENDING] = "pending",
					     [STORE_REQUEST_ISSUED] = "issued",
					     [STORE_REQUEST_REJECTED] = "rejected",
					     [STORE_REQUEST_EXPIRED] = "expired" };

	if (r->state == STORE_REQUEST_PENDING && now >= r->expires)
		return names[STORE_REQUEST_EXPIRED];
	return (size_t)r->state < ARRAY_LEN(names) ? names[r->state] : "?";
}

static json_t *sans_of(const struct store_request *r)
{
	struct ext san = { 0 };

	if (ext_find(buf_span(&r->exts), OID_SUBJECT_ALT_NAME, &san, NULL) != OK)
		return json_array();
	return admin_call_json_sans(san.value);
}

static json_t *key_of(struct crypto *c, const struct store_request *r)
{
	struct span spki = buf_span(&r->spki);
	uint8_t digest[DIGEST_MAX];

	if (crypto_digest(c, DIGEST_SHA256, &spki, 1, digest, NULL) != OK)
		return json_null();
	return admin_call_json_hex(span_of(digest, digest_size(DIGEST_SHA256)));
}

static json_t *request_json(const struct admin_call *call, const struct store_request *r)
{
	return json_pack(
	    "{s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:i, s:i, s:o, s:o}",
	    "id", (json_int_t)r->id, "state", state_of(r, clock_now(call->api->clock)), "endpoint",
	    r->endpoint, "ca", r->ca, "profile", r->profile, "transaction",
	    admin_call_json_text(buf_span(&r->transaction)), "subject",
	    admin_call_json_text(buf_span(&r->subject_text)), "san", sans_of(r), "key",
	    admin_call_json_key(buf_span(&r->spki)), "key_sha256", key_of(call->c, r), "peer",
	    r->peer, "created", admin_call_json_time(r->created), "expires",
	    admin_call_json_time(r->expires), "approvals", (int)r->approvals, "needed",
	    (int)r->needed, "approvers", admin_call_json_text(buf_span(&r->approvers)), "reason",
	    admin_call_json_text(buf_span(&r->reason)));
}

struct listing {
	struct admin_page page;
	const struct admin_call *call;
};

static void listing_clear(struct listing *l)
{
	admin_page_clear(&l->page);
}

static enum result collect(void *ctx, const struct store_request *r, struct err *err)
{
	struct listing *l = ctx;

	if (!admin_page_has_room(&l->page))
		return OK;
	return admin_page_add(&l->page, request_json(l->call, r), err, "%lld", (long long)r->id);
}

enum result admin_request_list(struct admin_call *call, struct err *err)
{
	CLEANUP(listing_clear) struct listing l = { .call = call };
	struct store_request_filter filter = { 0 };
	int64_t all;

	TRY(admin_page_open(&l.page, call, "requests", err));
	TRY(admin_page_number(&l.page, &filter.after_id, err));
	TRY(admin_call_query_number(call, "all", 0, &all, err));
	filter.pending_only = all == 0;
	filter.limit = admin_page_ask(&l.page);
	TRY(store_expire_requests(call->api->store, clock_now(call->api->clock), err));
	TRY(store_each_request(call->api->store, &filter, collect, &l, err));
	return admin_page_answer(call, &l.page, err);
}

/* The request that the path names. */
static RESULT find(const struct admin_call *call, struct store_request *out, struct err *err)
{
	char *end = NULL;
	long long id = strtoll(admin_call_arg(call), &end, 10);
	enum result r = ERR_NOT_FOUND;

	if (end != admin_call_arg(call) && !*end)
		r = store_find_request(call->api->store, id, out, err);
	if (r == ERR_NOT_FOUND)
		return err_set(err, r, "there is no request %.32s", admin_call_arg(call));
	return r;
}

enum result admin_request_show(struct admin_call *call, struct err *err)
{
	CLEANUP(store_request_clear) struct store_request r = { 0 };

	TRY(find(call, &r, err));
	return admin_call_answer(call, request_json(call, &r), err);
}

/* ---- deciding ---- */

struct deciding {
	struct admin_call *call;
	const struct store_request *request;
	bool issued;
};

static enum result grant(void *arg, const struct enrol_policy *policy,
			 const struct authority_ca *ca, struct err *err)
{
	struct deciding *d = arg;
	const struct admin_api *api = d->call->api;
	const struct enrol_context ctx = { api->store, api->clock };
	const struct approval a = { .request = d->request,
				    .policy = policy,
				    .ca = ca,
				    .actor = d->call->actor,
				    .log = api->log };

	return approval_grant(&ctx, d->call->c, &a, &d->issued, err);
}

enum result admin_request_approve(struct admin_call *call, struct err *err)
{
	static const char *const known[] = { NULL };
	CLEANUP(store_request_clear) struct store_request r = { 0 };
	struct deciding d = { .call = call, .request = &r };

	TRY(admin_call_check_fields(call, known, err));
	TRY(find(call, &r, err));
	if (r.state != STORE_REQUEST_PENDING)
		return err_set(err, ERR_CONFLICT, "request %lld waits no more: it is %s",
			       (long long)r.id, state_of(&r, 0));
	TRY(call->api->with_policy(call->api->ctx, r.endpoint, grant, &d, err));
	return admin_request_show(call, err);
}

enum result admin_request_reject(struct admin_call *call, struct err *err)
{
	static const char *const known[] = { "reason", NULL };
	const struct enrol_context ctx = { call->api->store, call->api->clock };
	CLEANUP(store_request_clear) struct store_request r = { 0 };
	struct approval a = { .request = &r, .actor = call->actor, .log = call->api->log };
	const char *reason = NULL;

	TRY(admin_call_check_fields(call, known, err));
	TRY(admin_call_text(call, "reason", &reason, err));
	if (reason && strlen(reason) > REASON_MAX)
		return err_set(err, ERR_BAD_REQUEST, "field \"reason\" is longer than %d octets",
			       REASON_MAX);
	TRY(find(call, &r, err));
	TRY(approval_reject(&ctx, &a, reason ? reason : "without a reason", err));
	return admin_request_show(call, err);
}
