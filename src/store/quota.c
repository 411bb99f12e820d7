/* SPDX-License-Identifier: Apache-2.0 */
#include "store/quota.h"

#include "store/purge.h"
#include "store/state.h"

enum result quota_check(struct db *db, const struct store_quota *quota, struct err *err)
{
	QUERY q = QUERY_NONE;
	bool row;

	if (quota->most == 0)
		return OK;
	TRY(query_init(&q, db, SQL_COUNT_QUOTA, err));
	query_bind_blob(&q, 1, SPAN_ARRAY(quota->key));
	query_bind_int(&q, 2, quota->since);
	query_bind_int(&q, 3, quota->most);
	TRY(query_step(&q, &row, err));
	if (row && query_int(&q, 0) >= quota->most)
		return err_set(err, ERR_TOO_MANY,
			       "quota: %s has %u certificates already, which is all it may have "
			       "within that time",
			       quota->whose, quota->most);
	return OK;
}

enum result quota_count(struct db *db, const struct store_quota *quota, int64_t cert, int64_t now,
			struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_ADD_QUOTA_USE, err));
	query_bind_blob(&q, 1, SPAN_ARRAY(quota->key));
	query_bind_int(&q, 2, now);
	query_bind_int(&q, 3, cert);
	return query_run(&q, err);
}

enum result store_purge_quotas(struct store *s, int64_t before, unsigned most, uint64_t *n,
			       struct err *err)
{
	return purge_run(s, SQL_PURGE_QUOTA_USES, before, most, n, err);
}
