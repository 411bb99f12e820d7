/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/page.h"
#include "ca/challenge.h"

#define LIFETIME 86400              /* seconds, unless said otherwise */
#define LIFETIME_MAX (3653 * 86400) /* ten years */
#define SANS_MAX 32

/* ---- reading ---- */

static const char *state_of(const struct store_challenge *c, int64_t now)
{
	if (c->used)
		return "used";
	if (c->revoked)
		return "revoked";
	if (now >= c->expires)
		return "expired";
	return c->bound ? "bound" : "usable";
}

static json_t *challenge_json(const struct store_challenge *c, int64_t now)
{
	return json_pack("{s:s, s:s, s:b, s:o?, s:o?, s:o, s:o, s:s, s:o, s:o}", "id", c->id,
			 "state", state_of(c, now), "reusable", c->reusable, "source",
			 c->source[0] ? json_string(c->source) : NULL, "endpoint",
			 c->endpoint[0] ? json_string(c->endpoint) : NULL, "created",
			 admin_call_json_time(c->created), "expires",
			 admin_call_json_time(c->expires), "created_by", c->created_by, "subject",
			 c->subject.len ? admin_call_json_name(buf_span(&c->subject)) : json_null(),
			 "san", admin_call_json_sans(buf_span(&c->san)));
}

struct listing {
	struct admin_page page;
	int64_t now;
};

static void listing_clear(struct listing *l)
{
	admin_page_clear(&l->page);
}

static enum result collect(void *ctx, const struct store_challenge *c, struct err *err)
{
	struct listing *l = ctx;

	if (!admin_page_has_room(&l->page))
		return OK;
	return admin_page_add(&l->page, challenge_json(c, l->now), err, "%s", c->id);
}

enum result admin_challenge_list(struct admin_call *call, struct err *err)
{
	CLEANUP(listing_clear) struct listing l = { .now = clock_now(call->api->clock) };
	struct store_challenge_filter filter = { .usable_at = l.now };
	int64_t all;

	TRY(admin_page_open(&l.page, call, "challenges", err));
	TRY(admin_call_query_number(call, "all", 0, &all, err));
	filter.usable_at_set = all == 0;
	filter.limit = admin_page_ask(&l.page);
	filter.after_id = l.page.continued ? (const char *)l.page.from.data : NULL;
	TRY(store_each_challenge(call->api->store, &filter, collect, &l, err));
	return admin_page_answer(call, &l.page, err);
}

/* ---- making ---- */

struct known {
	const char *name;
	bool found;
};

static void look(void *arg, const struct admin_endpoint *e)
{
	struct known *k = arg;

	k->found |= strcmp(e->name, k->name) == 0;
}

/* A challenge for an endpoint that is not there would be found out by the device only. */
static RESULT check_endpoint(const struct admin_api *api, const char *name, struct err *err)
{
	struct known known = { name, false };

	if (!name || !api->each_endpoint)
		return OK;
	api->each_endpoint(api->ctx, look, &known);
	if (!known.found)
		return err_set(err, ERR_NOT_FOUND,
			       "the configuration has no endpoint \"%s\"; \"scepterctl status\" "
			       "lists them",
			       name);
	return OK;
}

static RESULT read_sans(const struct admin_call *call, const char *sans[SANS_MAX], size_t *n,
			struct err *err)
{
	const json_t *list = json_object_get(call->body, "san"), *item;
	size_t i;

	if (!list || json_is_null(list))
		return OK;
	if (!json_is_array(list) || json_array_size(list) > SANS_MAX)
		return err_set(err, ERR_BAD_REQUEST, "field \"san\" must be a list of up to %d",
			       SANS_MAX);
	json_array_foreach(list, i, item)
	{
		sans[i] = json_string_value(item);
		if (!sans[i])
			return err_set(err, ERR_BAD_REQUEST, "field \"san\" must hold text");
	}
	*n = json_array_size(list);
	return OK;
}

static RESULT answer_new(struct admin_call *call, const struct challenge_new *n, struct err *err)
{
	const struct admin_api *api = call->api;
	char id[STORE_NAME_MAX];
	SECRET text = SECRET_INIT;

	TRY(challenge_create(api->store, call->c, api->clock, n, &text, id, err));
	log_info(api->log, "challenge created", LOG_STR("id", id), LOG_STR("actor", call->actor));
	return admin_call_answer(
	    call,
	    json_pack("{s:s, s:s%, s:o}", "id", id, "challenge", (const char *)text.bytes.data,
		      text.bytes.len, "expires",
		      admin_call_json_time(clock_now(api->clock) + n->lifetime)),
	    err);
}

enum result admin_challenge_create(struct admin_call *call, struct err *err)
{
	static const char *const known[] = { "endpoint", "lifetime", "subject", "san", NULL };
	const char *sans[SANS_MAX];
	struct challenge_new n = { .lifetime = LIFETIME, .sans = sans, .actor = call->actor };

	TRY(admin_call_check_fields(call, known, err));
	TRY(admin_call_text(call, "endpoint", &n.endpoint, err));
	TRY(admin_call_text(call, "subject", &n.subject, err));
	TRY(admin_call_duration(call, "lifetime", &n.lifetime, err));
	if (n.lifetime > LIFETIME_MAX)
		return err_set(err, ERR_BAD_REQUEST, "field \"lifetime\" is at most 10y");
	TRY(read_sans(call, sans, &n.n_sans, err));
	TRY(check_endpoint(call->api, n.endpoint, err));
	return answer_new(call, &n, err);
}

/* ---- revoking ---- */

enum result admin_challenge_revoke(struct admin_call *call, struct err *err)
{
	const struct admin_api *api = call->api;
	struct store_event event = { .time = clock_now(api->clock),
				     .kind = "challenge.revoked",
				     .actor = call->actor };
	BUF reason = BUF_INIT;

	buf_printf(&reason, "one-time challenge %.64s revoked", admin_call_arg(call));
	event.reason = buf_cstr(&reason);
	TRY(buf_check(&reason, err));
	TRY(store_revoke_challenge(api->store, admin_call_arg(call), &event, err));
	log_info(api->log, "challenge revoked", LOG_STR("id", admin_call_arg(call)),
		 LOG_STR("actor", call->actor));
	return admin_call_answer(
	    call, json_pack("{s:s, s:b}", "id", admin_call_arg(call), "revoked", 1), err);
}
