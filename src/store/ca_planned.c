/* SPDX-License-Identifier: Apache-2.0 */
/* A generation that is planned: moved to another time, or cancelled. */
#include "store/ca.h"
#include "store/event.h"
#include "store/request.h"
#include "store/state.h"

struct plan {
	const char *ca;
	unsigned number;
	int64_t now;
	const struct store_ca *more; /* to move it */
	const struct store_event *event;
};

static enum result bind(struct query *q, struct db *db, enum sql sql, const struct plan *p,
			struct err *err)
{
	TRY(query_init(q, db, sql, err));
	query_bind_str(q, 1, p->ca);
	query_bind_int(q, 2, p->number);
	query_bind_int(q, 3, p->now);
	return OK;
}

static enum result not_planned(const struct plan *p, struct err *err)
{
	return err_set(
	    err, ERR_CONFLICT,
	    "CA \"%s\": generation %u is not planned any more: it has taken over, or was "
	    "cancelled",
	    p->ca, p->number);
}

static enum result drop(struct db *db, enum sql sql, const struct plan *p, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, sql, err));
	query_bind_str(&q, 1, p->ca);
	query_bind_int(&q, 2, p->number);
	return query_run(&q, err);
}

/* ---- another time ---- */

static enum result move(struct db *db, const void *arg, struct err *err)
{
	const struct plan *p = arg;
	QUERY q = QUERY_NONE;

	TRY(bind(&q, db, SQL_MOVE_GENERATION, p, err));
	query_bind_int(&q, 4, p->more->generations[0].begins);
	TRY(query_run(&q, err));
	if (sqlite3_changes(db->handle) == 0)
		return not_planned(p, err);
	if (p->more->n_certs)
		TRY(drop(db, SQL_DROP_CA_CERTS, p, err));
	TRY(ca_insert_parts(db, p->more, SQL_PUT_CA_KEY, err));
	return event_insert(db, p->event, err);
}

enum result store_move_generation(struct store *s, const struct store_ca *more, int64_t now,
				  const struct store_event *event, struct err *err)
{
	const struct plan p = { more->name, more->generations[0].number, now, more, event };

	return writer_run(s->writer, move, &p, err);
}

/* ---- none ---- */

static enum result check_unasked(struct db *db, const struct plan *p, struct err *err)
{
	QUERY q = QUERY_NONE;
	bool row;

	TRY(bind(&q, db, SQL_GENERATION_IS_ASKED, p, err));
	TRY(query_step(&q, &row, err));
	if (!row)
		return not_planned(p, err);
	if (query_int(&q, 0))
		return err_set(
		    err, ERR_CONFLICT,
		    "CA \"%s\": devices have certificates of generation %u already, which "
		    "would be worth nothing: move it to another time instead",
		    p->ca, p->number);
	return OK;
}

static enum result cancel(struct db *db, const void *arg, struct err *err)
{
	static const enum sql parts[] = { SQL_DROP_CA_KEYS, SQL_DROP_CA_CERTS };
	const struct plan *p = arg;
	QUERY q = QUERY_NONE;
	size_t i;

	TRY(check_unasked(db, p, err));
	for (i = 0; i < ARRAY_LEN(parts); i++)
		TRY(drop(db, parts[i], p, err));
	TRY(bind(&q, db, SQL_DROP_GENERATION, p, err));
	TRY(query_run(&q, err));
	TRY(request_reject_of(db, p->ca, p->number, p->now, err));
	return event_insert(db, p->event, err);
}

enum result store_cancel_generation(struct store *s, const char *ca, unsigned number, int64_t now,
				    const struct store_event *event, struct err *err)
{
	const struct plan p = { .ca = ca, .number = number, .now = now, .event = event };

	return writer_run(s->writer, cancel, &p, err);
}
