/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_tls_proxy.h"

#include "net/http_server.h"
#include "net/tls_verifier.h"

bool http_tls_proxy_is_trusted(const struct http_listener *listener, const struct address *peer)
{
	return listener->tls_proxy.field &&
	       address_among(peer, listener->tls_proxy.trusted, listener->tls_proxy.n_trusted);
}

/* As if the handshake had been ours, but for the channel's binding: that is the proxy's. */
static RESULT verify(struct http_job *job, const struct client_certs *certs, struct err *err)
{
	struct span list[TLS_PEER_CERTS_MAX];
	struct tls_peer *peer;
	bool verified = false;
	size_t i;

	for (i = 0; i < certs->n; i++)
		list[i] = client_certs_get(certs, i);
	TRY(tls_verifier_check(job->listener->tls_proxy.verifier, list, certs->n, &verified, err));
	peer = tls_peer_told(list, certs->n, verified);
	if (!peer)
		return err_nomem(err);
	http_job_set_tls(job, peer);
	tls_peer_unref(peer);
	return OK;
}

static RESULT read_client(struct http_job *job, struct err *err)
{
	const struct http_tls_proxy *proxy = &job->listener->tls_proxy;
	CLEANUP(client_certs_clear) struct client_certs certs = { .n = 0 };

	TRY(client_cert_parse(&job->req, proxy->field, proxy->format, &certs, err));
	if (certs.n == 0)
		return OK;
	return err_prefix(err, verify(job, &certs, err), "%s", proxy->field);
}

static bool refuse(struct http_job *job, const struct log *log, const struct err *err, int status)
{
	http_reply_text(&job->reply, status, "%s", err_text(err));
	log_warning(log, "client certificate by a header refused", LOG_STR("peer", job->req.peer),
		    LOG_STR("listener", job->req.listener), LOG_ERR(err));
	return false;
}

bool http_tls_proxy_take(struct http_job *job, const struct log *log, const char **reason)
{
	const char *field = job->listener->tls_proxy.field;
	struct err err = { 0 };

	if (!field)
		return true;
	if (!job->req.by_proxy) {
		if (!client_cert_is_there(&job->req, field))
			return true;
		*reason = "a client certificate by a header from who is no proxy of ours";
		(void)!err_set(&err, ERR_DENIED,
			       "%s is taken from this listener's proxies only (tls_proxy.trusted)",
			       field);
		return refuse(job, log, &err, 403);
	}
	if (read_client(job, &err) == OK)
		return true;
	*reason = "a client certificate that a proxy told is malformed";
	return refuse(job, log, &err, err.code == ERR_NOMEM ? 503 : 400);
}
