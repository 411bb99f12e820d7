/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/housekeeping.h"

#include <stdlib.h>

#include "base/thread.h"
#include "base/ticker.h"
#include "daemon/alarms.h"
#include "daemon/rollover_watch.h"
#include "daemon/serve_ocsp.h"
#include "daemon/staple_own.h"
#include "daemon/tls_own.h"
#include "daemon/tls_watch.h"
#include "store/device.h"
#include "store/quota.h"
#include "store/request.h"

#define TICK_SECONDS 1
#define LOOK_TICKS 10    /* from one look for what is over or about to be to the next */
#define KEYS_TICKS 60    /* from one trial of a token's TLS keys to the next */
#define PERIOD_TICKS 600 /* from one time of putting away to the next */
#define BATCH 500        /* rows a commit: some milliseconds, for which others wait */

struct housekeeping {
	struct server *server;
	pthread_t thread;
	bool started;
	struct ticker ticker;

	/* The thread's own. */
	struct crypto *crypto;
	struct alarms alarms;
};

/* Deletes what is older, a batch a commit. */
typedef enum result purge_fn(struct store *s, int64_t before, unsigned most, uint64_t *n,
			     struct err *err);

static void purge(struct housekeeping *h, const char *what, purge_fn *fn, int64_t before)
{
	const struct log *log = &h->server->log;
	struct err err = { 0 };
	uint64_t n = BATCH, all = 0;

	while (n == BATCH && !ticker_is_ending(&h->ticker)) {
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

static void purge_imports(struct housekeeping *h)
{
	struct err err = { 0 };

	if (store_purge_imports(h->server->store, &err) != OK)
		log_warning(&h->server->log, "a broken import of devices not put away",
			    LOG_ERR(&err));
}

static void put_away(struct housekeeping *h)
{
	const struct config *config = server_config(h->server);
	int64_t now = clock_now(&h->server->clock);

	purge(h, "challenges", store_purge_challenges, now - config->challenge_retention);
	purge(h, "quota uses", store_purge_quotas, now - config->quota_seconds);
	purge_imports(h);
	config_unref(config);
	tls_own_renew_all(h->server);
}

/* Devices that do not ask again leave theirs behind. */
static void expire_requests(struct housekeeping *h)
{
	struct err err = { 0 };

	if (store_expire_requests(h->server->store, clock_now(&h->server->clock), &err) != OK)
		log_warning(&h->server->log, "requests that are over not marked", LOG_ERR(&err));
}

/* So that the first request after a quiet night need not wait for it. */
static void renew_responders(struct housekeeping *h)
{
	const struct config *config = server_config(h->server);
	size_t i;

	for (i = 0; i < config->n_endpoints && !ticker_is_ending(&h->ticker); i++)
		if (config->endpoints[i].protocol == CONFIG_OCSP)
			serve_ocsp_renew(h->server, h->crypto, config->endpoints[i].ca);
	config_unref(config);
}

/* all: at what costs more, too. */
static void look(struct housekeeping *h, bool all)
{
	expire_requests(h);
	renew_responders(h);
	tls_watch_look(h->server, h->crypto, all);
	staple_own_all(h->server, h->crypto);
	alarms_look(&h->alarms, h->server);
}

static void *run(void *arg)
{
	struct housekeeping *h = arg;
	struct rollover_watch watch = { 0 };
	unsigned tick = 0;

	do {
		if (tick % PERIOD_TICKS == 0)
			put_away(h);
		if (tick % LOOK_TICKS == 0)
			look(h, tick % KEYS_TICKS == 0);
		rollover_watch_look(&watch, h->server);
		tick++;
	} while (ticker_wait(&h->ticker, TICK_SECONDS));
	return NULL;
}

enum result housekeeping_start(struct housekeeping **out, struct server *server, struct err *err)
{
	static const struct thread_kind kind = { .name = "housekeeping" };
	struct housekeeping *h = calloc(1, sizeof(*h));
	enum result r;

	if (!h)
		return err_nomem(err);
	h->server = server;
	h->alarms = ALARMS_NONE;
	ticker_init(&h->ticker);
	r = crypto_new(&h->crypto, false, err);
	if (r == OK)
		r = thread_start(&h->thread, &kind, 0, run, h, err);
	h->started = r == OK;
	if (r == OK)
		*out = h;
	else
		housekeeping_free(h);
	return r;
}

void housekeeping_free(struct housekeeping *h)
{
	if (!h)
		return;
	ticker_end(&h->ticker);
	if (h->started)
		(void)pthread_join(h->thread, NULL);
	ticker_clear(&h->ticker);
	alarms_clear(&h->alarms);
	crypto_free(h->crypto);
	free(h);
}
