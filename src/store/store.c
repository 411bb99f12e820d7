/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/chain.h"
#include "store/migrate.h"
#include "store/state.h"

#define READERS_DEFAULT 8
#define BUSY_MS_DEFAULT 2000
#define LOCK_RETRY_MS 10

/*
 * Before SQLite opens it: SQLite would take the mode from the umask. The -wal and -shm files get
 * the mode of this one. Only a file just made is opened here, for closing a file that SQLite has
 * open in this process would drop its locks.
 */
static enum result make_private(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd >= 0) {
		(void)close(fd);
		return OK;
	}
	if (errno != EEXIST)
		return err_errno(err, errno, "%s", path);
	if (stat(path, &st))
		return err_errno(err, errno, "%s", path);
	if ((st.st_mode & 077) && chmod(path, st.st_mode & 0700))
		return err_errno(err, errno, "%s: others may read it, and chmod", path);
	return OK;
}

static bool lock_within(int fd, unsigned ms)
{
	const struct timespec pause = { .tv_nsec = LOCK_RETRY_MS * 1000000L };
	unsigned waited;

	for (waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += LOCK_RETRY_MS) {
		if (waited >= ms)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

/* One server a file: two would checkpoint one write-ahead log (see store/writer.h). */
static enum result lock_store(struct store *s, unsigned busy_ms, struct err *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s-lock", s->path) >= (int)sizeof(path))
		return err_set(err, ERR_LIMIT, "%s: path too long", s->path);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return err_errno(err, errno, "%s", path);
	if (!lock_within(s->lock_fd, busy_ms))
		return err_set(err, ERR_BUSY, "%s: another server has this store open", s->path);
	return OK;
}

static enum result open_writer(struct store *s, unsigned busy_ms, const struct log *log,
			       struct err *err)
{
	CLEANUP(db_close) struct db db = { 0 };

	TRY(db_open(&db, s->path, DB_WRITER, busy_ms, err));
	TRY(chain_new(&db.chain, err));
	TRY(migrate_run(&db, log, err));
	return writer_new(&s->writer, &db, log, err);
}

static enum result open_parts(struct store *s, const struct store_options *o, struct err *err)
{
	unsigned busy_ms = o->busy_ms ? o->busy_ms : BUSY_MS_DEFAULT;

	s->path = strdup(o->path);
	if (!s->path)
		return err_nomem(err);
	TRY(make_private(s->path, err));
	TRY(lock_store(s, busy_ms, err));
	TRY(fresh_new(&s->fresh, err));
	TRY(open_writer(s, busy_ms, &o->log, err));
	return pool_new(&s->pool, s->path, o->readers ? o->readers : READERS_DEFAULT, busy_ms, err);
}

enum result store_open(struct store **out, const struct store_options *options, struct err *err)
{
	CLEANUP(store_closep) struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(err);
	s->lock_fd = -1;
	(void)pthread_mutex_init(&s->purging, NULL);
	TRY(open_parts(s, options, err));
	*out = take(s);
	return OK;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	pool_free(s->pool);
	writer_free(s->writer);
	fresh_free(s->fresh);
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	(void)pthread_mutex_destroy(&s->purging);
	free(s->path);
	free(s);
}
