/* SPDX-License-Identifier: Apache-2.0 */
#include "est/client.h"

#include <string.h>

#include "est/body.h"

#define ROOT "/.well-known/est"

/* The operation's URL: the root is put in where the URL names just a server. */
static RESULT put_url(const struct est_client *client, const char *operation, struct buf *out,
		      struct err *err)
{
	struct span url = span_str(client->url);

	if (strncmp(client->url, "https://", 8) != 0)
		return err_set(err, ERR_USAGE,
			       "RFC 7030 3.3: EST is spoken over https only, not with \"%.80s\"",
			       client->url);
	while (url.len && url.p[url.len - 1] == '/')
		url.len--;
	buf_put(out, url);
	if (span_find(span_sub(url, 8, SIZE_MAX), '/') + 8 >= url.len)
		buf_put_str(out, ROOT);
	buf_printf(out, "/%s", operation);
	return buf_check(out, err);
}

/* RFC 7030 3.2.1: another origin is for the user to decide on. */
static RESULT bad_redirection(const char *operation, struct http_client_reply *reply,
			      struct err *err)
{
	char text[301];

	span_line(buf_span(&reply->location), text, sizeof(text));
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 7030 3.2.1: %s: HTTP status %ld points to %s, which is another origin, "
		       "or another method: if that is to be trusted, give its URL",
		       operation, reply->status, text);
}

/* What a server says in an error's body, as far as it fits a line. */
static RESULT bad_status(const char *operation, struct http_client_reply *reply, struct err *err)
{
	enum result code = reply->status == 401 || reply->status == 403   ? ERR_DENIED
			   : reply->status == 404                         ? ERR_NOT_FOUND
			   : reply->status == 429 || reply->status == 503 ? ERR_BUSY
			   : reply->status >= 500                         ? ERR_IO
									  : ERR_BAD_REQUEST;
	struct span body = buf_span(&reply->body);
	char text[301];

	if (reply->location.len)
		return bad_redirection(operation, reply, err);
	if (strncmp(reply->content_type, "text/", 5) != 0)
		body.len = 0;
	span_line(body, text, sizeof(text));
	return err_set(err, code, "%s: HTTP status %ld%s%s", operation, reply->status,
		       *text ? ": " : "", text);
}

static RESULT put_body(const struct http_client_reply *reply, struct buf *out, struct err *err)
{
	BUF decoded = BUF_INIT;
	struct span der;

	TRY(est_body_read(buf_span(&reply->body), &decoded, &der, err));
	buf_put(out, der);
	return buf_check(out, err);
}

static RESULT get(const struct est_client *client, const char *operation,
		  struct http_client_reply *reply, struct err *err)
{
	struct http_client_request req = { .method = "GET", .follow = true };
	BUF url = BUF_INIT;

	TRY(put_url(client, operation, &url, err));
	req.url = buf_cstr(&url);
	return http_client_do(client->http, &req, reply, err);
}

enum result est_client_get_ca(const struct est_client *client, struct buf *out, struct err *err)
{
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };

	TRY(get(client, "cacerts", &reply, err));
	if (reply.status != 200)
		return bad_status("cacerts", &reply, err);
	return put_body(&reply, out, err);
}

enum result est_client_get_attributes(const struct est_client *client, struct buf *out,
				      struct err *err)
{
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };

	TRY(get(client, "csrattrs", &reply, err));
	/* RFC 7030 4.5.2: optional for servers; 501 and 405 are of those that have never heard of
	 * it */
	if (reply.status == 204 || reply.status == 404 || reply.status == 405 ||
	    reply.status == 501)
		return OK;
	if (reply.status != 200)
		return bad_status("csrattrs", &reply, err);
	return put_body(&reply, out, err);
}

static RESULT post(const struct est_client *client, const char *operation, const char *type,
		   struct span der, struct http_client_reply *reply, struct err *err)
{
	struct http_client_request req = { .method = "POST", .content_type = type, .follow = true };
	BUF url = BUF_INIT;
	BUF body = BUF_INIT;

	TRY(put_url(client, operation, &url, err));
	est_body_put(&body, der, EST_LINES_64);
	TRY(buf_check(&body, err));
	req.url = buf_cstr(&url);
	req.body = buf_span(&body);
	return http_client_do(client->http, &req, reply, err);
}

static struct est_wait wait_of(const struct http_client_reply *reply)
{
	return (struct est_wait){ .approval = reply->status == 202,
				  .seconds = reply->retry_after,
				  .fresh = reply->fresh };
}

static RESULT must_wait(struct err *err)
{
	return err_set(err, ERR_BUSY, "the request waits for approval at the CA");
}

enum result est_client_enrol(const struct est_client *client, enum est_enrolment how,
			     struct span csr, struct buf *out, struct est_wait *wait,
			     struct err *err)
{
	static const char *const operations[] = {
		[EST_ENROL] = "simpleenroll",
		[EST_RENEW] = "simplereenroll",
		[EST_SERVER_KEY] = "serverkeygen",
	};
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };

	TRY(post(client, operations[how], EST_TYPE_PKCS10, csr, &reply, err));
	*wait = wait_of(&reply);
	if (wait->approval)
		return must_wait(err);
	if (reply.status != 200)
		return bad_status(operations[how], &reply, err);
	if (how != EST_SERVER_KEY)
		return put_body(&reply, out, err);
	*out = buf_take(&reply.body);
	return OK;
}

enum result est_client_full_cmc(const struct est_client *client, struct span message,
				struct buf *out, struct est_wait *wait, struct err *err)
{
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };

	TRY(post(client, "fullcmc", EST_TYPE_CMC_REQUEST, message, &reply, err));
	*wait = wait_of(&reply);
	if (reply.body.len && est_body_is(span_str(reply.content_type), EST_TYPE_CMC))
		return put_body(&reply, out, err);
	if (wait->approval)
		return must_wait(err);
	return reply.status == 200 ? err_set(err, ERR_SYNTAX,
					     "RFC 7030 4.3.2: fullcmc: the answer is of type %.80s",
					     *reply.content_type ? reply.content_type : "none")
				   : bad_status("fullcmc", &reply, err);
}
