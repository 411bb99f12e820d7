/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/crl_fetch.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/chore.h"
#include "net/http_client.h"

#define CONNECT_SECONDS 10
#define FETCH_SECONDS 120
#define FETCHERS 4 /* so many servers that hang do not keep the others' lists waiting */

struct fetcher {
	struct chore chore;
	struct crl_fetch *all;
};

struct crl_fetch {
	struct fetcher fetchers[FETCHERS];
	size_t n;             /* that were begun */
	pthread_mutex_t lock; /* of what lists know of their being fetched */
};

/* ---- one list ---- */

static bool is_ending(void *ctx)
{
	struct fetcher *f = ctx;

	return chore_is_ending(&f->chore);
}

static RESULT get(struct fetcher *f, const char *url, const struct foreign_crl_version *known,
		  struct http_client_reply *reply, struct err *err)
{
	const struct http_client_config config = { .connect_seconds = CONNECT_SECONDS,
						   .total_seconds = FETCH_SECONDS,
						   .body_max = FOREIGN_CRL_FETCH_MAX,
						   .cancelled = is_ending,
						   .ctx = f };
	const struct http_client_request req = { .method = "GET",
						 .url = url,
						 .if_none_match = known->etag,
						 .if_modified_since = known->modified };
	CLEANUP(http_client_freep) struct http_client *client = NULL;

	TRY(http_client_new(&client, &config, err));
	TRY(http_client_do(client, &req, reply, err));
	if (reply->status == 200 || (reply->status == 304 && (*known->etag || *known->modified)))
		return OK;
	return err_set(err, ERR_IO, "HTTP status %ld", reply->status);
}

/* What has come of it, for the list to keep. */
static RESULT take_reply(struct foreign_crl *lists, size_t i, const struct foreign_crl_query *q,
			 const struct http_client_reply *reply, struct err *err)
{
	struct foreign_crl_version version = { 0 };

	if (reply->status == 304)
		return foreign_crl_unchanged(lists, i, q, err);
	memcpy(version.etag, reply->etag, sizeof(version.etag));
	memcpy(version.modified, reply->last_modified, sizeof(version.modified));
	return foreign_crl_keep(lists, i, q, buf_span(&reply->body), &version, err);
}

static void fetch(struct fetcher *f, struct foreign_crl *lists, size_t i, const char *url,
		  const struct foreign_crl_version *known)
{
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };
	const struct log *log = &f->chore.server->log;
	struct foreign_crl_query q = { f->chore.crypto, log, 0 };
	struct err err = { 0 };
	enum result r = get(f, url, known, &reply, &err);

	if (chore_is_ending(&f->chore))
		return;
	q.now = clock_now(&f->chore.server->clock);
	(void)pthread_mutex_lock(&f->all->lock);
	if (r == OK)
		r = take_reply(lists, i, &q, &reply, &err);
	if (r != OK)
		foreign_crl_missed(lists, i, &q);
	(void)pthread_mutex_unlock(&f->all->lock);
	if (r == OK)
		log_info(log, "a revocation list was fetched", LOG_STR("url", url),
			 LOG_STR("changed", reply.status == 304 ? "no" : "yes"));
	else
		log_error(log, "a revocation list cannot be fetched; what was fetched before holds",
			  LOG_STR("url", url), LOG_ERR(&err));
}

/* ---- all of them ---- */

/* The URL of number i, if it is this thread that fetches it now. */
static const char *claim(struct fetcher *f, struct foreign_crl *lists, size_t i,
			 struct foreign_crl_version *known)
{
	const char *url;

	(void)pthread_mutex_lock(&f->all->lock);
	url = foreign_crl_due(lists, i, clock_now(&f->chore.server->clock));
	if (url)
		*known = foreign_crl_begin(lists, i);
	(void)pthread_mutex_unlock(&f->all->lock);
	return url;
}

static void look_at(struct fetcher *f, struct foreign_crl *lists)
{
	struct foreign_crl_version known;
	const char *url;
	size_t i;

	for (i = 0; i < foreign_crl_count(lists) && !chore_is_ending(&f->chore); i++) {
		url = claim(f, lists, i, &known);
		if (url)
			fetch(f, lists, i, url, &known);
	}
}

static void look(struct chore *chore)
{
	struct fetcher *f = (struct fetcher *)chore;
	const struct config *config = server_config(chore->server);
	size_t i;

	for (i = 0; i < config->n_listeners; i++) {
		look_at(f, config->listeners[i].client_crl);
		look_at(f, config->listeners[i].tls_proxy.client_crl);
	}
	config_unref(config);
}

enum result crl_fetch_start(struct crl_fetch **out, struct server *server, struct err *err)
{
	CLEANUP(crl_fetch_freep) struct crl_fetch *f = calloc(1, sizeof(*f));

	if (!f)
		return err_nomem(err);
	(void)pthread_mutex_init(&f->lock, NULL);
	while (f->n < FETCHERS) {
		struct fetcher *next = &f->fetchers[f->n++];

		next->all = f;
		TRY(chore_start(&next->chore, "crl-fetch", server, look, err));
	}
	*out = take(f);
	return OK;
}

void crl_fetch_free(struct crl_fetch *f)
{
	size_t i;

	if (!f)
		return;
	for (i = 0; i < f->n; i++)
		chore_ask_to_end(&f->fetchers[i].chore);
	for (i = 0; i < f->n; i++)
		chore_end(&f->fetchers[i].chore);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}
