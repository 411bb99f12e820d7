/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_job.h"

#include <stdlib.h>

#include "base/clock.h"

struct http_job *http_job_new(size_t head_len)
{
	struct http_job *job = malloc(sizeof(*job) + head_len);

	if (!job)
		return NULL;
	/* not all of it: the header arrays are counted, and large */
	job->next = NULL;
	job->loop = NULL;
	job->listener = NULL;
	job->conn = NULL;
	atomic_init(&job->abandoned, false);
	job->begun_us = clock_mono_us();
	job->framing = (struct http_framing){ 0 };
	job->req.method = HTTP_OTHER;
	job->req.http10 = false;
	job->req.path = SPAN_NONE;
	job->req.query = SPAN_NONE;
	job->req.body = SPAN_NONE;
	job->req.n_headers = 0;
	job->req.client_certs = NULL;
	job->req.n_client_certs = 0;
	job->req.client_verified = false;
	job->req.channel_binding = SPAN_NONE;
	job->req.lines = NULL;
	job->tls = NULL;
	job->reply.body = BUF_INIT;
	job->reply.lent = (struct http_lent){ 0 };
	http_reply_clear(&job->reply);
	job->body = BUF_INIT;
	job->head_len = head_len;
	return job;
}

void http_job_free(struct http_job *job)
{
	if (!job)
		return;
	tls_peer_unref(job->tls);
	http_reply_clear(&job->reply);
	buf_clear(&job->body);
	free(job);
}

void http_job_set_tls(struct http_job *job, struct tls_peer *tls)
{
	struct http_request *req = &job->req;

	if (!tls)
		return;
	job->tls = tls_peer_ref(tls);
	req->client_certs = tls->n_certs ? tls->certs : NULL;
	req->n_client_certs = tls->n_certs;
	req->client_verified = tls->verified;
	req->channel_binding = span_of(tls->binding, tls->binding_len);
}

void http_job_log(const struct http_job *job, const struct log *log)
{
	static const char *const methods[] = {
		[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE", [HTTP_OTHER] = "other",
	};
	const struct http_request *req = &job->req;
	struct log held = *log;

	log_hold(&held, req->lines);
	log_info(&held, "http request", LOG_STR("method", methods[req->method]),
		 LOG_SPAN("path", span_sub(req->path, 0, 256)),
		 LOG_INT("status", job->reply.status),
		 LOG_INT("bytes", http_reply_body(&job->reply).len),
		 LOG_INT("microseconds", clock_mono_us() - job->begun_us),
		 LOG_STR("peer", req->peer), LOG_STR("listener", req->listener));
}

bool http_job_sends_body(const struct http_job *job)
{
	int status = job->reply.status;

	return job->req.method != HTTP_HEAD && status != 204 && status != 304;
}

void http_job_put_head(const struct http_job *job, const char *date, bool keep_alive,
		       struct buf *out)
{
	const struct http_reply *reply = &job->reply;
	size_t len = http_reply_body(reply).len;
	bool http10 = job->req.http10;
	size_t i;

	buf_printf(out, "HTTP/1.%d %d %s\r\nDate: %s\r\n", http10 ? 0 : 1, reply->status,
		   http_status_text(reply->status), date);
	if (reply->content_type && len)
		buf_printf(out, "Content-Type: %s\r\n", reply->content_type);
	if (reply->status != 204 && reply->status != 304)
		buf_printf(out, "Content-Length: %zu\r\n", len);
	for (i = 0; i < reply->n_headers; i++)
		buf_printf(out, "%s: %s\r\n", reply->headers[i].name, reply->headers[i].value);
	if (!keep_alive)
		buf_put_str(out, "Connection: close\r\n");
	else if (http10)
		buf_put_str(out, "Connection: keep-alive\r\n");
	buf_put_str(out, "\r\n");
}
