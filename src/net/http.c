/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	int status;
	const char *text;
} texts[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

const char *http_status_text(int status)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Unknown";
}

struct span http_header(const struct http_request *req, const char *name)
{
	struct span want = span_str(name);
	size_t i;

	for (i = 0; i < req->n_headers; i++)
		if (span_eq_nocase(req->headers[i].name, want))
			return req->headers[i].value;
	return SPAN_NONE;
}

void http_reply_header(struct http_reply *reply, const char *name, const char *fmt, ...)
{
	char *value;
	va_list ap;

	if (reply->n_headers == HTTP_REPLY_HEADERS_MAX)
		return;
	value = reply->headers[reply->n_headers].value;
	va_start(ap, fmt);
	(void)vsnprintf(value, sizeof(reply->headers[0].value), fmt, ap);
	va_end(ap);
	/* a control character from outside must not begin a header of its own */
	for (; *value; value++)
		if ((unsigned char)*value < ' ' || *value == 0x7f)
			*value = ' ';
	reply->headers[reply->n_headers++].name = name;
}

static void release(struct http_reply *reply)
{
	if (reply->lent.release)
		reply->lent.release(reply->lent.owner);
	reply->lent = (struct http_lent){ 0 };
}

void http_reply_text(struct http_reply *reply, int status, const char *fmt, ...)
{
	va_list ap;

	reply->status = status;
	reply->content_type = "text/plain; charset=utf-8";
	release(reply);
	buf_reset(&reply->body);
	va_start(ap, fmt);
	buf_vprintf(&reply->body, fmt, ap);
	va_end(ap);
	buf_put_byte(&reply->body, '\n');
}

void http_reply_clear(struct http_reply *reply)
{
	reply->status = 0;
	reply->content_type = NULL;
	reply->n_headers = 0;
	reply->label = (struct http_label){ 0 };
	buf_clear(&reply->body);
	release(reply);
}
