/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pool.h"

#include <pthread.h>
#include <stdlib.h>

struct pool {
	const char *path;
	unsigned busy_ms;
	unsigned size;
	struct db *dbs;
	pthread_mutex_t lock;
	pthread_cond_t returned;
	unsigned n_free;
	/* A stack: the connection used last has its statements and pages still warm. */
	struct db **idle;
};

enum result pool_new(struct pool **out, const char *path, unsigned size, unsigned busy_ms,
		     struct err *err)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (!p)
		return err_nomem(err);
	p->path = path;
	p->busy_ms = busy_ms;
	p->size = size;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->returned, NULL);
	p->dbs = calloc(size, sizeof(*p->dbs));
	p->idle = calloc(size, sizeof(struct db *));
	if (!p->dbs || !p->idle) {
		pool_free(p);
		return err_nomem(err);
	}
	for (; p->n_free < size; p->n_free++)
		p->idle[p->n_free] = &p->dbs[size - 1 - p->n_free];
	*out = p;
	return OK;
}

void pool_free(struct pool *p)
{
	unsigned i;

	if (!p)
		return;
	for (i = 0; p->dbs && i < p->size; i++)
		db_close(&p->dbs[i]);
	(void)pthread_cond_destroy(&p->returned);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->idle);
	free(p->dbs);
	free(p);
}

static struct db *borrow(struct pool *p)
{
	struct db *db;

	(void)pthread_mutex_lock(&p->lock);
	while (p->n_free == 0)
		(void)pthread_cond_wait(&p->returned, &p->lock);
	db = p->idle[--p->n_free];
	(void)pthread_mutex_unlock(&p->lock);
	return db;
}

enum result reader_init(struct reader *r, struct pool *p, struct err *err)
{
	READER got = { p, borrow(p) };

	if (!got.db->handle)
		TRY(db_open(got.db, p->path, DB_READER, p->busy_ms, err));
	*r = got;
	got = READER_NONE;
	return OK;
}

void reader_clear(struct reader *r)
{
	struct pool *p = r->pool;

	if (!r->db)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->idle[p->n_free++] = r->db;
	(void)pthread_cond_signal(&p->returned);
	(void)pthread_mutex_unlock(&p->lock);
	*r = READER_NONE;
}
