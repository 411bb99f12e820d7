/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/percent.h"
#include "cli/ctl/ctl_connection.h"

/* The result that a word of the API stands for. */
static enum result result_of(const char *word)
{
	int i;

	for (i = 1; i < ERR_COUNT_; i++)
		if (strcmp(err_name((enum result)i), word) == 0)
			return (enum result)i;
	return ERR_INTERNAL;
}

static RESULT read_reply(const struct http_client_reply *reply, json_t **answer, struct err *err)
{
	json_t *value = json_loadb((const char *)reply->body.data, reply->body.len, 0, NULL);
	enum result r;

	if (value && reply->status >= 200 && reply->status < 300) {
		*answer = value;
		return OK;
	}
	if (value && *ctl_api_text(value, "error"))
		r = err_set(err, result_of(ctl_api_text(value, "error")), "%s",
			    ctl_api_text(value, "message"));
	else if (reply->status == 503)
		r = err_set(err, ERR_BUSY, "the server is overloaded: try again");
	else if (reply->status == 404)
		r = err_set(err, ERR_NOT_FOUND,
			    "there is no admin API of Scepter at this URL: name a listener that "
			    "admin.listeners in scepterd.yaml lists");
	else
		r = err_set(err, ERR_IO, "the server answered %ld without saying why",
			    reply->status);
	json_decref(value);
	return r;
}

static RESULT call(const struct cli *cli, struct http_client_request *req, const char *path,
		   struct http_client_reply *reply, struct err *err)
{
	struct ctl_connection *to = NULL;
	BUF url = BUF_INIT;
	enum result r;

	TRY(ctl_connection_get(cli, &to, err));
	buf_printf(&url, "%s%s", to->base, path);
	req->url = buf_cstr(&url);
	TRY(buf_check(&url, err));
	r = http_client_do(to->client, req, reply, err);
	return r == ERR_IO ? ctl_connection_failed(to, err) : r;
}

static RESULT call_url(const struct cli *cli, struct http_client_request *req, const char *path,
		       json_t **answer, struct err *err)
{
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };

	TRY(call(cli, req, path, &reply, err));
	return read_reply(&reply, answer, err);
}

enum result ctl_api_get(const struct cli *cli, const char *path, json_t **answer, struct err *err)
{
	struct http_client_request req = { .method = "GET" };

	return call_url(cli, &req, path, answer, err);
}

enum result ctl_api_fetch(const struct cli *cli, const char *path, struct buf *out, struct err *err)
{
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };
	struct http_client_request req = { .method = "GET" };
	json_t *none = NULL;

	TRY(call(cli, &req, path, &reply, err));
	if (reply.status != 200)
		return read_reply(&reply, &none, err);
	buf_put(out, buf_span(&reply.body));
	return buf_check(out, err);
}

enum result ctl_api_delete(const struct cli *cli, const char *path, json_t **answer,
			   struct err *err)
{
	struct http_client_request req = { .method = "DELETE" };

	return call_url(cli, &req, path, answer, err);
}

enum result ctl_api_post(const struct cli *cli, const char *path, const json_t *body,
			 json_t **answer, struct err *err)
{
	struct http_client_request req = { .method = "POST", .content_type = "application/json" };
	char *text = json_dumps(body, JSON_COMPACT);
	enum result r;

	if (!text)
		return err_set(err, ERR_USAGE, "the arguments are not all UTF-8 text");
	req.body = span_str(text);
	r = call_url(cli, &req, path, answer, err);
	free(text);
	return r;
}

enum result ctl_api_post_long(const struct cli *cli, const char *doing, const char *path,
			      const json_t *body, json_t **answer, struct err *err)
{
	enum result r;

	cli_output_progress("%s ...", doing);
	r = ctl_api_post(cli, path, body, answer, err);
	cli_output_progress_end();
	return r;
}

void ctl_api_path(struct buf *out, const char *prefix, const char *part)
{
	buf_put_str(out, prefix);
	percent_put(out, span_str(part));
}

void ctl_api_query(struct buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	buf_put_byte(out, span_find(buf_span(out), '?') < out->len ? '&' : '?');
	buf_printf(out, "%s=", name);
	percent_put(out, span_str(value));
}

const char *ctl_api_text(const json_t *object, const char *field)
{
	const char *text = json_string_value(json_object_get(object, field));

	return text ? text : "";
}

void ctl_api_set(json_t *object, const char *field, const char *value)
{
	if (value)
		(void)json_object_set_new(object, field, json_string(value));
}
