/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/staple_fetch.h"

#include <stdlib.h>

#include "daemon/chore.h"
#include "daemon/staple.h"
#include "net/http_client.h"
#include "ocsp/staple.h"

#define ASK_SECONDS 5
#define RETRY_SECONDS 60  /* after the first failure; twice as long after each more... */
#define RETRY_DOUBLINGS 6 /* ...up to about an hour */
#define REST_SECONDS 60   /* at least, from one response to the next */
#define RESPONSE_MAX 65536

/* One listener's certificate. */
struct place {
	struct buf cert;
	int64_t next; /* when it is to be asked about; 0: at once */
	unsigned failures;
};

struct staple_fetch {
	struct chore chore;
	struct place places[CONFIG_LISTENERS_MAX]; /* its thread's */
};

/* ---- one certificate ---- */

static RESULT ask(struct span url, struct span request, struct buf *out, struct err *err)
{
	const struct http_client_config config = { .connect_seconds = ASK_SECONDS,
						   .total_seconds = ASK_SECONDS,
						   .body_max = RESPONSE_MAX };
	CLEANUP(http_client_freep) struct http_client *client = NULL;
	struct http_client_request req = { .method = "POST",
					   .content_type = "application/ocsp-request",
					   .body = request };
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };
	BUF text = BUF_INIT;

	buf_put(&text, url);
	TRY(buf_check(&text, err));
	req.url = buf_cstr(&text);
	TRY(http_client_new(&client, &config, err));
	TRY(err_prefix(err, http_client_do(client, &req, &reply, err), "%s", req.url));
	if (reply.status != 200)
		return err_set(err, ERR_IO, "%s answers %ld", req.url, reply.status);
	*out = buf_take(&reply.body);
	return OK;
}

static RESULT fetch(struct staple_fetch *f, const struct cert *cert, struct staple *staple,
		    int64_t *next, struct err *err)
{
	struct ocsp_said said = { .state = OCSP_UNKNOWN };
	struct span url = ext_ocsp_url(cert->exts);
	struct cert issuer;
	const struct ocsp_foreign foreign = { cert, &issuer };
	int64_t now;
	BUF request = BUF_INIT;
	BUF response = BUF_INIT;

	if (!url.len)
		return err_set(err, ERR_CONFIG,
			       "the certificate names no OCSP responder by http; set ocsp_stapling "
			       "to own or off");
	if (!staple->issuer.len)
		return err_set(err, ERR_CONFIG,
			       "the issuer's certificate is not behind the listener's own in its "
			       "file; put it there");
	TRY(err_prefix(err, cert_parse(buf_span(&staple->issuer), &issuer, err), "issuer"));
	TRY(ocsp_staple_request(&foreign, f->chore.crypto, &request, err));
	TRY(ask(url, buf_span(&request), &response, err));
	now = clock_now(&f->chore.server->clock);
	TRY(ocsp_staple_check(&foreign, f->chore.crypto, buf_span(&response), now, &said, err));
	staple->response = buf_take(&response);
	staple->until = said.next_update;
	staple->revoked = said.state == OCSP_REVOKED;
	*next = said.until < now + REST_SECONDS ? now + REST_SECONDS : said.until;
	return OK;
}

/* Those of our own CAs are for staple_own.h. */
static bool is_ours(struct staple_fetch *f, const struct cert *cert)
{
	struct authority *authority = server_authority(f->chore.server);
	bool ours = staple_issuer(authority, f->chore.crypto, cert) != NULL;

	authority_unref(authority);
	return ours;
}

static void plan_retry(struct place *p, int64_t now)
{
	p->next = now + (RETRY_SECONDS << p->failures);
	if (p->failures < RETRY_DOUBLINGS)
		p->failures++;
}

static void look_at(struct staple_fetch *f, const struct config *config, size_t i)
{
	CLEANUP(staple_clear) struct staple staple = { .result = OK };
	struct place *p = &f->places[i];
	int64_t now = clock_now(&f->chore.server->clock);
	struct cert cert;

	if (config->listeners[i].stapling != CONFIG_STAPLING_FETCH ||
	    !staple_begin(&staple, f->chore.server, i))
		return;
	if (!span_eq(buf_span(&p->cert), buf_span(&staple.cert))) {
		buf_reset(&p->cert);
		buf_put(&p->cert, buf_span(&staple.cert));
		p->next = p->failures = 0;
	}
	if (now < p->next)
		return;
	plan_retry(p, now);
	if (cert_parse(buf_span(&staple.cert), &cert, NULL) != OK || is_ours(f, &cert))
		return;
	staple.result = fetch(f, &cert, &staple, &p->next, &staple.err);
	if (staple.result == OK)
		p->failures = 0;
	staple_finish(&staple, f->chore.server, config, i);
}

/* ---- the thread ---- */

static void look(struct chore *chore)
{
	struct staple_fetch *f = (struct staple_fetch *)chore;
	const struct config *config = server_config(chore->server);
	size_t i;

	for (i = 0; i < config->n_listeners && !chore_is_ending(chore); i++)
		look_at(f, config, i);
	config_unref(config);
}

enum result staple_fetch_start(struct staple_fetch **out, struct server *server, struct err *err)
{
	CLEANUP(staple_fetch_freep) struct staple_fetch *f = calloc(1, sizeof(*f));

	if (!f)
		return err_nomem(err);
	TRY(chore_start(&f->chore, "ocsp-staple", server, look, err));
	*out = take(f);
	return OK;
}

void staple_fetch_free(struct staple_fetch *f)
{
	size_t i;

	if (!f)
		return;
	chore_end(&f->chore);
	for (i = 0; i < ARRAY_LEN(f->places); i++)
		buf_clear(&f->places[i].cert);
	free(f);
}
