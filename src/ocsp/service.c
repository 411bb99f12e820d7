/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/service.h"

#include <time.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/percent.h"

#define REQUEST_MAX 8192
#define TAG_OCTETS 16

/* One request on its way. */
struct exchange {
	const struct ocsp_service *s;
	struct crypto *c;
	const struct ocsp_endpoint *endpoint;
	int64_t now;
	struct ocsp_request request;
};

/* ---- what is asked ---- */

/* RFC 6960 A.1: base64, percent-encoded. Its own slashes stay; those before it are of the URL. */
static RESULT read_path(struct span path, struct buf *out, struct err *err)
{
	BUF text = BUF_INIT;

	while (path.len && path.p[0] == '/')
		path = span_sub(path, 1, SIZE_MAX);
	TRY(percent_parse(path, &text, err));
	return base64_parse(buf_span(&text), out, err);
}

static RESULT read_request(struct exchange *x, const struct http_request *req, struct span path,
			   struct buf *bytes, struct err *err)
{
	if (req->method == HTTP_POST)
		buf_put(bytes, req->body);
	else
		TRY(read_path(path, bytes, err));
	TRY(buf_check(bytes, err));
	if (bytes->len > REQUEST_MAX)
		return err_set(err, ERR_LIMIT, "OCSPRequest of %zu octets, at most %d", bytes->len,
			       REQUEST_MAX);
	TRY(ocsp_request_parse(buf_span(bytes), &x->request, err));
	if (x->endpoint->most && x->request.n > x->endpoint->most)
		return err_set(err, ERR_LIMIT,
			       "%zu certificates asked for, at most %u (setting ocsp.certificates)",
			       x->request.n, x->endpoint->most);
	return OK;
}

static enum ocsp_status status_of(enum result r)
{
	switch (r) {
	case ERR_SYNTAX:
	case ERR_LIMIT:
	case ERR_BAD_REQUEST:
	case ERR_BAD_ALG:
		return OCSP_MALFORMED_REQUEST;
	case ERR_DENIED:
		return OCSP_UNAUTHORIZED;
	case ERR_BUSY:
	case ERR_IO:
	case ERR_TIMEOUT:
	case ERR_NOMEM:
		return OCSP_TRY_LATER;
	default:
		return OCSP_INTERNAL_ERROR;
	}
}

/* ---- HTTP ---- */

static void put_date(struct http_reply *reply, const char *name, int64_t t)
{
	time_t at = (time_t)t;
	char text[64];
	struct tm tm;

	if (gmtime_r(&at, &tm) && strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm))
		http_reply_header(reply, name, "%s", text);
}

/* RFC 5019 6.2. What was never issued may be issued now, and an error is nothing to keep. */
static void put_caching(const struct exchange *x, const struct ocsp_said *said,
			struct http_reply *reply)
{
	struct span response = buf_span(&reply->body);
	uint8_t digest[DIGEST_MAX];
	BUF tag = BUF_INIT;

	if (x->request.nonce.len || x->request.n != 1 || said->state == OCSP_UNKNOWN ||
	    said->unissued ||
	    crypto_digest(x->c, DIGEST_SHA256, &response, 1, digest, NULL) != OK) {
		http_reply_header(reply, "Cache-Control", "no-store");
		return;
	}
	hex_put(&tag, span_of(digest, TAG_OCTETS));
	http_reply_header(reply, "ETag", "\"%s\"", tag.len ? buf_cstr(&tag) : "");
	put_date(reply, "Last-Modified", said->this_update);
	put_date(reply, "Expires", said->next_update);
	http_reply_header(reply, "Cache-Control",
			  "max-age=%lld, public, no-transform, must-revalidate",
			  (long long)(said->next_update - x->now));
}

static void refuse(const struct exchange *x, const struct err *why, struct http_reply *reply)
{
	enum ocsp_status status = status_of(why->code);
	struct err err = { 0 };

	log_warning(x->s->log, "OCSP request refused", LOG_STR("endpoint", x->endpoint->name),
		    LOG_ERR(why));
	buf_reset(&reply->body);
	if (ocsp_response_put_error(status, &reply->body, &err) != OK)
		reply->status = 503;
	http_reply_header(reply, "Cache-Control", "no-store");
}

static RESULT run(struct exchange *x, const struct authority_ca *oldest,
		  const struct http_request *req, struct span path, struct http_reply *reply,
		  struct err *err)
{
	const struct ocsp_source source = {
		.store = x->s->store, .cache = x->s->cache, .endpoint = x->endpoint, .now = x->now
	};
	struct ocsp_said said = { .state = OCSP_UNKNOWN };
	BUF bytes = BUF_INIT;

	if (!oldest)
		return err_set(err, ERR_BUSY, "there is no responder's key yet");
	TRY(read_request(x, req, path, &bytes, err));
	TRY(ocsp_answer(&source, x->c, oldest, &x->request, &said, &reply->body, err));
	if (x->s->said && x->request.n == 1 && !x->request.nonce.len && !said.unissued)
		*x->s->said = said;
	if (req->method != HTTP_POST)
		put_caching(x, &said, reply);
	return OK;
}

void ocsp_service_handle(const struct ocsp_service *s, struct crypto *c,
			 const struct ocsp_endpoint *endpoint, const struct authority_ca *ca,
			 const struct http_request *req, struct span path, struct http_reply *reply)
{
	struct exchange x = { .s = s, .c = c, .endpoint = endpoint };
	struct err err = { 0 };
	enum result r;

	if (req->method != HTTP_GET && req->method != HTTP_HEAD && req->method != HTTP_POST) {
		http_reply_text(reply, 405, "RFC 6960 A.1: OCSP uses GET and POST");
		http_reply_header(reply, "Allow", "GET, HEAD, POST");
		return;
	}
	x.now = clock_now(s->clock);
	reply->status = 200;
	reply->content_type = "application/ocsp-response";
	r = run(&x, ca, req, path, reply, &err);
	err.code = r;
	if (r != OK)
		refuse(&x, &err, reply);
}
