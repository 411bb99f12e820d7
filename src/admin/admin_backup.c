/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of the store, to be fetched in parts. */
#include "admin/backup.h"
#include "admin/call.h"

#define PART_MAX (4u << 20)

static RESULT get_backup(const struct admin_call *call, struct backup **out, struct err *err)
{
	*out = call->api->backup;
	return *out ? OK : err_set(err, ERR_NOT_FOUND, "no backups here");
}

static json_t *state_json(const struct admin_call *call, const struct backup_state *s)
{
	static const char *const phases[] = {
		[BACKUP_RUNNING] = "running", [BACKUP_DONE] = "done", [BACKUP_FAILED] = "failed"
	};
	json_t *o =
	    json_pack("{s:s, s:s, s:o, s:I, s:I, s:s}", "id", s->id, "state", phases[s->phase],
		      "started", admin_call_json_time(s->started), "pages", (json_int_t)s->pages,
		      "total", (json_int_t)s->total, "data", call->api->data);

	if (o && s->phase == BACKUP_FAILED)
		(void)json_object_set_new(o, "message",
					  admin_call_json_text(span_str(err_text(&s->why))));
	if (!o || s->phase != BACKUP_DONE)
		return o;
	(void)json_object_set_new(o, "bytes", json_integer((json_int_t)s->bytes));
	(void)json_object_set_new(o, "sha256", admin_call_json_hex(SPAN_ARRAY(s->sha256)));
	(void)json_object_set_new(o, "last_event", json_integer(s->snapshot.last_event));
	(void)json_object_set_new(o, "last_event_hash",
				  admin_call_json_hex(SPAN_ARRAY(s->snapshot.hash)));
	return o;
}

/* Who took a copy is on record, and in the copy. */
enum result admin_backup_create(struct admin_call *call, struct err *err)
{
	static const char *const known[] = { NULL };
	const struct store_event event = { .time = clock_now(call->api->clock),
					   .kind = "backup.begun",
					   .actor = call->actor,
					   .reason = "a copy of the store" };
	struct backup *backup = NULL;
	struct backup_state state;

	TRY(admin_call_check_fields(call, known, err));
	TRY(get_backup(call, &backup, err));
	TRY(store_add_event(call->api->store, &event, err));
	TRY(backup_begin(backup, &state, err));
	log_info(call->api->log, "backup begun", LOG_STR("actor", call->actor));
	return admin_call_answer(call, state_json(call, &state), err);
}

enum result admin_backup_show(struct admin_call *call, struct err *err)
{
	struct backup *backup = NULL;
	struct backup_state state;

	TRY(get_backup(call, &backup, err));
	TRY(backup_look(backup, admin_call_arg(call), &state, err));
	return admin_call_answer(call, state_json(call, &state), err);
}

enum result admin_backup_read(struct admin_call *call, struct err *err)
{
	struct backup *backup = NULL;
	int64_t offset;

	TRY(get_backup(call, &backup, err));
	TRY(admin_call_query_number(call, "offset", 0, &offset, err));
	call->raw_type = "application/octet-stream";
	return backup_read(backup, admin_call_arg(call), (uint64_t)offset, PART_MAX, &call->raw,
			   err);
}

enum result admin_backup_remove(struct admin_call *call, struct err *err)
{
	struct backup *backup = NULL;

	TRY(get_backup(call, &backup, err));
	TRY(backup_remove(backup, admin_call_arg(call), err));
	return admin_call_answer(
	    call, json_pack("{s:s, s:b}", "id", admin_call_arg(call), "removed", 1), err);
}
