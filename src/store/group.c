/* SPDX-License-Identifier: Apache-2.0 */
#include "store/group.h"

#include "store/chain.h"
#include "store/query.h"

static void call(struct db *db, struct job *job)
{
	err_clear(&job->err);
	job->result = job->fn(db, job->arg, &job->err);
}

/* SQLite rolls all back by itself when the disk is full or fails: then the group is lost. */
static enum result check_alive(const struct db *db, const struct job *job, struct err *err)
{
	if (!sqlite3_get_autocommit(db->handle))
		return OK;
	if (job->result == OK)
		return err_set(err, ERR_INTERNAL, "%s: transaction lost", db->path);
	*err = job->err;
	return job->result;
}

static enum result run_guarded(struct db *db, struct job *job, struct err *err)
{
	TRY(query_simple(db, SQL_SAVEPOINT, err));
	call(db, job);
	TRY(check_alive(db, job, err));
	if (job->result != OK) {
		chain_forget(db->chain);
		TRY(query_simple(db, SQL_ROLLBACK_TO, err));
	}
	return query_simple(db, SQL_RELEASE, err);
}

/* *half: the job was refused after it had changed something. */
static enum result run_bare(struct db *db, struct job *job, bool *half, struct err *err)
{
	sqlite3_int64 changes = sqlite3_total_changes64(db->handle);

	call(db, job);
	TRY(check_alive(db, job, err));
	*half = job->result != OK && sqlite3_total_changes64(db->handle) != changes;
	return OK;
}

/* *half: given up in the middle, nothing is committed. */
static enum result run_all(struct db *db, struct job *jobs, bool guarded, bool *half,
			   struct err *err)
{
	struct job *job;

	*half = false;
	TRY(query_simple(db, SQL_BEGIN, err));
	for (job = jobs; job && !*half; job = job->next)
		TRY(guarded ? run_guarded(db, job, err) : run_bare(db, job, half, err));
	return *half ? OK : query_simple(db, SQL_COMMIT, err);
}

/* All of them, for one that was refused was judged by what others of the group wrote. */
static void fail_all(struct job *jobs, enum result r, const struct err *err)
{
	struct job *job;

	for (job = jobs; job; job = job->next) {
		job->result = r;
		job->err = *err;
	}
}

/*
 * A savepoint costs a copy of each page that the job touches, and nearly all jobs that are refused
 * have changed nothing yet. So the group runs without savepoints first, and once more with them
 * where a job left something half done.
 */
enum result group_run(struct db *db, struct job *jobs, struct err *err)
{
	bool half;
	enum result r = run_all(db, jobs, false, &half, err);

	if (r == OK && half) {
		db_roll_back(db);
		r = run_all(db, jobs, true, &half, err);
	}
	if (r != OK) {
		db_roll_back(db);
		fail_all(jobs, r, err);
	}
	return r;
}
