/* SPDX-License-Identifier: Apache-2.0 */
#include "scep/client.h"

#include "base/percent.h"
#include "scep/caps.h"
#include "scep/query.h"

/* URL?operation=NAME, or with & where the URL has a query of its own. */
static void put_url(const struct scep_client *client, const char *operation, struct buf *out)
{
	struct span url = span_str(client->url);

	buf_put(out, url);
	buf_put_byte(out, span_find(url, '?') == url.len ? '?' : '&');
	buf_printf(out, "operation=%s", operation);
}

static RESULT get(const struct scep_client *client, const char *operation,
		  struct http_client_reply *reply, struct err *err)
{
	struct http_client_request req = { .method = "GET" };
	BUF url = BUF_INIT;

	put_url(client, operation, &url);
	if (client->ca_identifier) {
		buf_put_str(&url, "&message=");
		percent_put(&url, span_str(client->ca_identifier));
	}
	TRY(buf_check(&url, err));
	req.url = buf_cstr(&url);
	return http_client_do(client->http, &req, reply, err);
}

/* What a web server says of itself in an error's body, as far as it fits a line. */
static RESULT bad_status(const char *operation, const struct http_client_reply *reply,
			 struct err *err)
{
	enum result code = reply->status == 404   ? ERR_NOT_FOUND
			   : reply->status == 503 ? ERR_BUSY
			   : reply->status >= 500 ? ERR_IO
						  : ERR_BAD_REQUEST;
	struct span body = buf_span(&reply->body);
	char text[200];

	if (strcmp(reply->content_type, "text/plain") != 0)
		body.len = 0;
	span_line(body, text, sizeof(text));
	return err_set(err, code, "%s: HTTP status %ld%s%s", operation, reply->status,
		       *text ? ": " : "", text);
}

enum result scep_client_get_caps(const struct scep_client *client, uint32_t *caps, struct err *err)
{
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };

	TRY(get(client, "GetCACaps", &reply, err));
	*caps = reply.status == 200 ? scep_caps_parse(buf_span(&reply.body)) : 0;
	return OK;
}

enum result scep_client_get_ca(const struct scep_client *client, struct scep_ca_certs *out,
			       struct err *err)
{
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };

	TRY(get(client, "GetCACert", &reply, err));
	if (reply.status != 200)
		return bad_status("GetCACert", &reply, err);
	return scep_ca_certs_parse(buf_span(&reply.body), out, err);
}

enum result scep_client_get_next_ca(const struct scep_client *client, struct buf *out,
				    struct err *err)
{
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };

	TRY(get(client, "GetNextCACert", &reply, err));
	if (reply.status != 200)
		return bad_status("GetNextCACert", &reply, err);
	buf_put(out, buf_span(&reply.body));
	return buf_check(out, err);
}

static RESULT send_message(const struct scep_client *client, uint32_t caps, struct span message,
			   struct http_client_reply *reply, struct err *err)
{
	struct http_client_request req = { .method = "GET" };
	BUF url = BUF_INIT;

	put_url(client, "PKIOperation", &url);
	if (caps & SCEP_CAP_POST) {
		req.method = "POST";
		req.content_type = "application/x-pki-message";
		req.body = message;
	} else {
		buf_put_str(&url, "&message=");
		TRY(scep_query_encode_message(message, &url, err));
	}
	TRY(buf_check(&url, err));
	req.url = buf_cstr(&url);
	return http_client_do(client->http, &req, reply, err);
}

enum result scep_client_pki_operation(const struct scep_client *client, uint32_t caps,
				      struct span message, struct buf *out, long *retry_after,
				      struct err *err)
{
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };

	*retry_after = -1;
	TRY(send_message(client, caps, message, &reply, err));
	if (reply.status != 200) {
		*retry_after = reply.retry_after;
		return bad_status("PKIOperation", &reply, err);
	}
	buf_put(out, buf_span(&reply.body));
	return buf_check(out, err);
}
