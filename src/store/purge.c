/* SPDX-License-Identifier: Apache-2.0 */
#include "store/purge.h"

#include "store/query.h"
#include "store/state.h"

struct purge {
	enum sql id;
	int64_t before;
	unsigned most;
	uint64_t *n; /* the caller waits for the job */
};

static enum result purge(struct db *db, const void *arg, struct err *err)
{
	const struct purge *p = arg;
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, p->id, err));
	query_bind_int(&q, 1, p->before);
	query_bind_int(&q, 2, p->most);
	TRY(query_run(&q, err));
	*p->n = (uint64_t)sqlite3_changes64(db->handle);
	return OK;
}

enum result purge_run(struct store *s, enum sql id, int64_t before, unsigned most, uint64_t *n,
		      struct err *err)
{
	uint64_t deleted = 0;
	struct purge p = { id, before, most, &deleted };

	TRY(writer_run(s->writer, purge, &p, err));
	*n = deleted;
	return OK;
}
