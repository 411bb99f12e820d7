/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/percent.h"
#include "cli/ctl/commands.h"
#include "net/http_client.h"

#define SECONDS 120 /* making a CA with RSA-4096 keys takes its time */

static const char *socket_path(const struct cli *cli)
{
	const struct ctl_globals *globals = cli->globals;
	const char *path = globals->socket ? globals->socket : getenv("SCEPTER_SOCKET");

	return path && *path ? path : CTL_SOCKET;
}

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
	else
		r = err_set(err, ERR_IO, "the server answered %ld without saying why",
			    reply->status);
	json_decref(value);
	return r;
}

/* What the HTTP client says of it is about networks. */
static RESULT no_answer(const char *path, struct err *err)
{
	if (access(path, F_OK) != 0)
		return err_errno(err, errno,
				 "scepterd: not running, or its admin socket is not the one that "
				 "--socket or SCEPTER_SOCKET names: %s",
				 path);
	if (access(path, R_OK | W_OK) != 0)
		return err_set(err, ERR_DENIED,
			       "%s: for root and the user of scepterd only; try with sudo", path);
	return err_set(err, ERR_IO, "%s: nobody answers; is scepterd running?", path);
}

static RESULT call(const struct cli *cli, const struct http_client_request *req, json_t **answer,
		   struct err *err)
{
	CLEANUP(http_client_reply_clear) struct http_client_reply reply = { 0 };
	CLEANUP(http_client_freep) struct http_client *client = NULL;
	struct http_client_config config = { .unix_socket = socket_path(cli),
					     .total_seconds = SECONDS,
					     .body_max = (size_t)64 << 20 };
	enum result r;

	TRY(http_client_new(&client, &config, err));
	r = http_client_do(client, req, &reply, err);
	if (r == ERR_IO)
		return no_answer(config.unix_socket, err);
	TRY(r);
	return read_reply(&reply, answer, err);
}

static RESULT call_url(const struct cli *cli, struct http_client_request *req, const char *path,
		       json_t **answer, struct err *err)
{
	BUF url = BUF_INIT;

	buf_printf(&url, "http://localhost%s", path);
	req->url = buf_cstr(&url);
	TRY(buf_check(&url, err));
	return call(cli, req, answer, err);
}

enum result ctl_api_get(const struct cli *cli, const char *path, json_t **answer, struct err *err)
{
	struct http_client_request req = { .method = "GET" };

	return call_url(cli, &req, path, answer, err);
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
