/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/housekeeping.h"

#include <stdlib.h>

#include "daemon/alarms.h"
#include "daemon/chore.h"
#include "daemon/rollover_watch.h"
#include "daemon/serve_ocsp.h"
#include "daemon/staple_own.h"
#include "daemon/tls_own.h"
#include "daemon/tls_watch.h"
#include "store/device.h"
#include "store/quota.h"
#include "store/request.h"

#define LOOK_TICKS 10    /* from one look for what is over or about to be to the next */
#define KEYS_TICKS 60    /* from one trial of a token's TLS keys to the next */
#define PERIOD_TICKS 600 /* from one time of putting away to the next */
#define BATCH 500        /* rows a commit: some milliseconds, for which others wait */

struct housekeeping {
	struct chore chore;

	/* Its thread's. */
	struct alarms alarms;
	struct rollover_watch watch;
	unsigned tick;
};

/* Deletes what is older, a batch a commit. */
typedef enum result purge_fn(struct store *s, int64_t before, unsigned most, uint64_t *n,
			     struct err *err);

static void purge(struct housekeeping *h, const char *what, purge_fn *fn, int64_t before)
{
	const struct log *log = &h->chore.server->log;
	struct err err = { 0 };
	uint64_t n = BATCH, all = 0;

	while (n == BATCH && !chore_is_ending(&h->chore)) {
		if (fn(h->chore.server->store, before, BATCH, &n, &err) != OK) {
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

	if (store_purge_imports(h->chore.server->store, &err) != OK)
		log_warning(&h->chore.server->log, "a broken import of devices not put away",
			    LOG_ERR(&err));
}

static void put_away(struct housekeeping *h)
{
	const struct config *config = server_config(h->chore.server);
	int64_t now = clock_now(&h->chore.server->clock);

	purge(h, "challenges", store_purge_challenges, now - config->challenge_retention);
	purge(h, "quota uses", store_purge_quotas, now - config->quota_seconds);
	purge_imports(h);
	config_unref(config);
	tls_own_renew_all(h->chore.server);
}

/* Devices that do not ask again leave theirs behind. */
static void expire_requests(struct housekeeping *h)
{
	struct err err = { 0 };

	if (store_expire_requests(h->chore.server->store, clock_now(&h->chore.server->clock),
				  &err) != OK)
		log_warning(&h->chore.server->log, "requests that are over not marked",
			    LOG_ERR(&err));
}

/* So that the first request after a quiet night need not wait for it. */
static void renew_responders(struct housekeeping *h)
{
	const struct config *config = server_config(h->chore.server);
	size_t i;

	for (i = 0; i < config->n_endpoints && !chore_is_ending(&h->chore); i++)
		if (config->endpoints[i].protocol == CONFIG_OCSP)
			serve_ocsp_renew(h->chore.server, h->chore.crypto, config->endpoints[i].ca);
	config_unref(config);
}

/* all: at what costs more, too. */
static void look_around(struct housekeeping *h, bool all)
{
	expire_requests(h);
	renew_responders(h);
	tls_watch_look(h->chore.server, h->chore.crypto, all);
	staple_own_all(h->chore.server, h->chore.crypto);
	alarms_look(&h->alarms, h->chore.server);
}

static void look(struct chore *chore)
{
	struct housekeeping *h = (struct housekeeping *)chore;

	if (h->tick % PERIOD_TICKS == 0)
		put_away(h);
	if (h->tick % LOOK_TICKS == 0)
		look_around(h, h->tick % KEYS_TICKS == 0);
	rollover_watch_look(&h->watch, chore->server);
	h->tick++;
}

enum result housekeeping_start(struct housekeeping **out, struct server *server, struct err *err)
{
	CLEANUP(housekeeping_freep) struct housekeeping *h = calloc(1, sizeof(*h));

	if (!h)
		return err_nomem(err);
	h->alarms = ALARMS_NONE;
	TRY(chore_start(&h->chore, "housekeeping", server, look, err));
	*out = take(h);
	return OK;
}

void housekeeping_free(struct housekeeping *h)
{
	if (!h)
		return;
	chore_end(&h->chore);
	alarms_clear(&h->alarms);
	free(h);
}
