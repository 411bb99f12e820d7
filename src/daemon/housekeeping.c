/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/housekeeping.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/rollover_watch.h"
#include "daemon/tls_own.h"
#include "store/quota.h"

#define TICK_SECONDS 1
#define PERIOD_TICKS 600 /* from one time of putting away to the next */
#define BATCH 500        /* rows a commit: some milliseconds, for which others wait */

struct housekeeping {
	struct server *server;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool ending;
};

static bool is_ending(struct housekeeping *h)
{
	bool ending;

	(void)pthread_mutex_lock(&h->lock);
	ending = h->ending;
	(void)pthread_mutex_unlock(&h->lock);
	return ending;
}

/* Deletes what is older, a batch a commit. */
typedef enum result purge_fn(struct store *s, int64_t before, unsigned most, uint64_t *n,
			     struct err *err);

static void purge(struct housekeeping *h, const char *what, purge_fn *fn, int64_t before)
{
	const struct log *log = &h->server->log;
	struct err err = { 0 };
	uint64_t n = BATCH, all = 0;

	while (n == BATCH && !is_ending(h)) {
		if (fn(h->server->store, before, BATCH, &n, &err) != OK) {
			log_warning(log, "old records not deleted", LOG_STR("what", what),
				    LOG_ERR(&err));
			return;
		}
		all += n;
	}
	if (all)
		log_info(log, "old records deleted", LOG_STR("what", what), LOG_INT("count", all));
}

static void put_away(struct housekeeping *h)
{
	const struct config *config = server_config(h->server);
	int64_t now = clock_now(&h->server->clock);

	purge(h, "challenges", store_purge_challenges, now - config->challenge_retention);
	purge(h, "quota uses", store_purge_quotas, now - config->quota_seconds);
	config_unref(config);
	tls_own_renew_all(h->server);
}

/* False: it is over. */
static bool wait_tick(struct housekeeping *h)
{
	struct timespec until;
	bool ending;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += TICK_SECONDS;
	(void)pthread_mutex_lock(&h->lock);
	while (!h->ending && pthread_cond_timedwait(&h->wake, &h->lock, &until) == 0)
		;
	ending = h->ending;
	(void)pthread_mutex_unlock(&h->lock);
	return !ending;
}

static void *run(void *arg)
{
	struct housekeeping *h = arg;
	struct rollover_watch watch = { 0 };
	unsigned tick = 0;

	do {
		if (tick++ % PERIOD_TICKS == 0)
			put_away(h);
		rollover_watch_look(&watch, h->server);
	} while (wait_tick(h));
	return NULL;
}

static void init_wake(struct housekeeping *h)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&h->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&h->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
}

/* Signals are for the program's own threads. */
enum result housekeeping_start(struct housekeeping **out, struct server *server, struct err *err)
{
	struct housekeeping *h = calloc(1, sizeof(*h));
	sigset_t all, old;
	int e;

	if (!h)
		return err_nomem(err);
	h->server = server;
	init_wake(h);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	e = pthread_create(&h->thread, NULL, run, h);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	h->started = e == 0;
	if (e) {
		housekeeping_free(h);
		return err_errno(err, e, "housekeeping thread");
	}
	*out = h;
	return OK;
}

void housekeeping_free(struct housekeeping *h)
{
	if (!h)
		return;
	(void)pthread_mutex_lock(&h->lock);
	h->ending = true;
	(void)pthread_cond_signal(&h->wake);
	(void)pthread_mutex_unlock(&h->lock);
	if (h->started)
		(void)pthread_join(h->thread, NULL);
	(void)pthread_cond_destroy(&h->wake);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}
