/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/crl_fetch.h"

#include <stdlib.h>

#include "daemon/chore.h"
#include "net/http_client.h"

#define CONNECT_SECONDS 10
#define FETCH_SECONDS 120

struct crl_fetch {
	struct chore chore;
};

/* ---- one list ---- */

static bool is_ending(void *ctx)
{
	struct crl_fetch *f = ctx;

	return chore_is_ending(&f->chore);
}

static RESULT get(struct crl_fetch *f, const char *url, struct buf *out, struct err *err)
{
	const struct http_client_config config = { .connect_seconds = CONNECT_SECONDS,
						   .total_seconds = FETCH_SECONDS,
						   .body_max = FOREIGN_CRL_FETCH_MAX,
						   .cancelled = is_ending,
						   .ctx = f };
	const struct http_client_request req = { .method = "GET", .url = url };
	CLEANUP(http_client_freep) struct http_client *client = NULL;
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };

	TRY(http_client_new(&client, &config, err));
	TRY(http_client_do(client, &req, &reply, err));
	if (reply.status != 200)
		return err_set(err, ERR_IO, "HTTP status %ld", reply.status);
	*out = buf_take(&reply.body);
	return OK;
}

static void fetch(struct crl_fetch *f, struct foreign_crl *lists, size_t i, const char *url)
{
	const struct log *log = &f->chore.server->log;
	struct foreign_crl_query q = { f->chore.crypto, log, 0 };
	struct err err = { 0 };
	BUF bytes = BUF_INIT;
	enum result r;

	r = get(f, url, &bytes, &err);
	if (chore_is_ending(&f->chore))
		return;
	q.now = clock_now(&f->chore.server->clock);
	if (r == OK)
		r = foreign_crl_keep(lists, i, &q, buf_span(&bytes), &err);
	if (r == OK) {
		log_info(log, "a revocation list was fetched", LOG_STR("url", url));
		return;
	}
	foreign_crl_missed(lists, i, &q);
	log_error(log, "a revocation list cannot be fetched; what was fetched before holds",
		  LOG_STR("url", url), LOG_ERR(&err));
}

/* ---- all of them ---- */

static void look_at(struct crl_fetch *f, struct foreign_crl *lists)
{
	const char *url;
	size_t i;

	for (i = 0; i < foreign_crl_count(lists) && !chore_is_ending(&f->chore); i++) {
		url = foreign_crl_due(lists, i, clock_now(&f->chore.server->clock));
		if (url)
			fetch(f, lists, i, url);
	}
}

static void look(struct chore *chore)
{
	struct crl_fetch *f = (struct crl_fetch *)chore;
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
	TRY(chore_start(&f->chore, "crl-fetch", server, look, err));
	*out = take(f);
	return OK;
}

void crl_fetch_free(struct crl_fetch *f)
{
	if (!f)
		return;
	chore_end(&f->chore);
	free(f);
}
