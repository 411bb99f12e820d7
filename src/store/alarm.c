/* SPDX-License-Identifier: Apache-2.0 */
#include "store/alarm.h"

#include "store/event.h"
#include "store/state.h"

struct alarm {
	const char *name;
	const struct store_event *event;
	bool *changed; /* the caller waits for the job */
};

static enum result is_raised(struct db *db, const char *name, bool *out, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_FIND_ALARM, err));
	query_bind_str(&q, 1, name);
	return query_step(&q, out, err);
}

static enum result raise(struct db *db, const void *arg, struct err *err)
{
	const struct alarm *a = arg;
	QUERY q = QUERY_NONE;
	bool raised;

	*a->changed = false;
	TRY(is_raised(db, a->name, &raised, err));
	if (raised)
		return OK;
	TRY(event_insert(db, a->event, err));
	TRY(query_init(&q, db, SQL_ADD_ALARM, err));
	query_bind_str(&q, 1, a->name);
	query_bind_int(&q, 2, sqlite3_last_insert_rowid(db->handle));
	*a->changed = true;
	return query_run(&q, err);
}

static enum result end(struct db *db, const void *arg, struct err *err)
{
	const struct alarm *a = arg;
	QUERY q = QUERY_NONE;

	TRY(is_raised(db, a->name, a->changed, err));
	if (!*a->changed)
		return OK;
	TRY(event_insert(db, a->event, err));
	TRY(query_init(&q, db, SQL_DELETE_ALARM, err));
	query_bind_str(&q, 1, a->name);
	return query_run(&q, err);
}

/* A look first: nearly always there is nothing to change, and so nothing for the writer. */
static enum result change(struct store *s, const struct alarm *a, bool raise_it, struct err *err)
{
	READER reader = READER_NONE;
	bool changed = false, raised;
	struct alarm job = { a->name, a->event, &changed };

	if (strlen(a->name) >= STORE_ALARM_MAX)
		return err_set(err, ERR_LIMIT, "store: the alarm's name has %zu octets",
			       strlen(a->name));
	TRY(reader_init(&reader, s->pool, err));
	TRY(is_raised(reader.db, a->name, &raised, err));
	reader_clear(&reader);
	if (raised != raise_it)
		TRY(writer_run(s->writer, raise_it ? raise : end, &job, err));
	*a->changed = changed;
	return OK;
}

enum result store_raise_alarm(struct store *s, const char *name, const struct store_event *event,
			      bool *raised, struct err *err)
{
	return change(s, &(struct alarm){ name, event, raised }, true, err);
}

enum result store_end_alarm(struct store *s, const char *name, const struct store_event *event,
			    bool *ended, struct err *err)
{
	return change(s, &(struct alarm){ name, event, ended }, false, err);
}
