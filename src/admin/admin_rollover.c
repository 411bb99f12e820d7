/* SPDX-License-Identifier: Apache-2.0 */
/* The next generation of a CA's keys, and certificates that another CA has signed. */
#include "admin/call.h"
#include "ca/rollover.h"
#include "ca/subordinate.h"

typedef enum result rollover_fn(const struct rollover *r, struct err *err);

struct asked {
	struct admin_call *call;
	rollover_fn *act;
	const char *done; /* for the log */
	int64_t at;
	struct key_spec key;
};

static enum result act(void *arg, const struct authority_ca *ca, struct err *err)
{
	const struct asked *a = arg;
	const struct admin_api *api = a->call->api;
	const struct rollover rollover = { .store = api->store,
					   .keeper = api->keeper,
					   .c = a->call->c,
					   .now = clock_now(api->clock),
					   .ca = ca,
					   .at = a->at,
					   .key = a->key,
					   .actor = a->call->actor };

	return a->act(&rollover, err);
}

/* "+2m" from now, or "2027-01-31T00:00:00Z"; 0: not given. */
static RESULT read_at(const struct admin_call *call, int64_t *out, struct err *err)
{
	const char *text = NULL;
	int64_t seconds = 0;

	TRY(admin_call_text(call, "at", &text, err));
	if (!text)
		return OK;
	if (text[0] != '+')
		return clock_parse(text, out, err);
	TRY(clock_parse_duration(text + 1, &seconds, err));
	*out = clock_now(call->api->clock) + seconds;
	return OK;
}

static RESULT perform(struct asked *asked, struct err *err)
{
	struct admin_call *call = asked->call;
	const struct admin_api *api = call->api;

	TRY(api->with_ca(api->ctx, admin_call_arg(call), act, asked, err));
	log_info(api->log, asked->done, LOG_STR("ca", admin_call_arg(call)),
		 LOG_STR("actor", call->actor));
	if (api->changed)
		TRY(api->changed(api->ctx, err));
	return admin_ca_show(call, err);
}

enum result admin_ca_roll(struct admin_call *call, struct err *err)
{
	static const char *const known[] = { "at", "key", NULL };
	struct asked asked = { .call = call, .act = rollover_make, .done = "rollover ordered" };
	const char *key = NULL;

	TRY(admin_call_check_fields(call, known, err));
	TRY(read_at(call, &asked.at, err));
	TRY(admin_call_text(call, "key", &key, err));
	if (key)
		TRY(key_spec_parse(key, &asked.key, err));
	if (call->api->check_urls)
		TRY(call->api->check_urls(call->api->ctx, admin_call_arg(call), err));
	return perform(&asked, err);
}

enum result admin_ca_move_rollover(struct admin_call *call, struct err *err)
{
	static const char *const known[] = { "at", NULL };
	struct asked asked = { .call = call, .act = rollover_move, .done = "rollover moved" };

	TRY(admin_call_check_fields(call, known, err));
	TRY(read_at(call, &asked.at, err));
	return perform(&asked, err);
}

enum result admin_ca_cancel_rollover(struct admin_call *call, struct err *err)
{
	struct asked asked = { .call = call, .act = rollover_cancel, .done = "rollover cancelled" };

	return perform(&asked, err);
}

enum result admin_ca_import(struct admin_call *call, struct err *err)
{
	static const char *const known[] = { "chain", NULL };
	const struct admin_api *api = call->api;
	struct subordinate import = { .store = api->store,
				      .keeper = api->keeper,
				      .c = call->c,
				      .now = clock_now(api->clock),
				      .name = admin_call_arg(call),
				      .actor = call->actor };
	const char *chain = NULL;

	TRY(admin_call_check_fields(call, known, err));
	TRY(admin_call_text(call, "chain", &chain, err));
	if (!chain)
		return err_set(err, ERR_BAD_REQUEST,
			       "field \"chain\" is missing: the certificates in PEM");
	import.chain = span_str(chain);
	TRY(subordinate_import(&import, err));
	log_info(api->log, "CA certificate imported", LOG_STR("ca", admin_call_arg(call)),
		 LOG_STR("actor", call->actor));
	if (api->changed)
		TRY(api->changed(api->ctx, err));
	return admin_ca_show(call, err);
}
