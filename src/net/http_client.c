/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>

#define CONNECT_SECONDS 10
#define TOTAL_SECONDS 60
#define BODY_MAX ((size_t)4 << 20)

struct http_client {
	CURL *curl;
	char error[CURL_ERROR_SIZE];
	char *ca_file;
	char *unix_socket;
	unsigned total_seconds;
	size_t body_max;
};

/* What libcurl gives away piece by piece. */
struct sink {
	struct buf body;
	size_t max;
	bool too_large;
};

static void init_once(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct sink *sink = arg;

	n *= size;
	if (n > sink->max - sink->body.len) {
		sink->too_large = true;
		return 0;
	}
	buf_put(&sink->body, span_of(data, n));
	return sink->body.failed ? 0 : n;
}

static bool set_up(struct http_client *c, const struct http_client_config *config)
{
	const char *agent = config->user_agent ? config->user_agent : "scepter/" SCEPTER_VERSION;
	long connect = config->connect_seconds ? config->connect_seconds : CONNECT_SECONDS;
	bool ok = true;

	ok &= curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->error) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
	/* a redirect could send a request, and the challenge in it, where nobody meant it to go */
	ok &= curl_easy_setopt(c->curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_USERAGENT, agent) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, connect) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, (long)c->total_seconds) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
	if (c->ca_file)
		ok &= curl_easy_setopt(c->curl, CURLOPT_CAINFO, c->ca_file) == CURLE_OK;
	if (c->unix_socket) {
		ok &=
		    curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->unix_socket) == CURLE_OK;
		ok &= curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*") == CURLE_OK;
	}
	return ok;
}

enum result http_client_new(struct http_client **out, const struct http_client_config *config,
			    struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CLEANUP(http_client_freep) struct http_client *c = calloc(1, sizeof(*c));

	if (!c)
		return err_nomem(err);
	(void)pthread_once(&once, init_once);
	c->total_seconds = config->total_seconds ? config->total_seconds : TOTAL_SECONDS;
	c->body_max = config->body_max ? config->body_max : BODY_MAX;
	if (config->ca_file && !(c->ca_file = strdup(config->ca_file)))
		return err_nomem(err);
	if (config->unix_socket && !(c->unix_socket = strdup(config->unix_socket)))
		return err_nomem(err);
	c->curl = curl_easy_init();
	if (!c->curl)
		return err_nomem(err);
	if (!set_up(c, config))
		return err_set(err, ERR_INTERNAL, "libcurl lacks an option: %s", curl_version());
	*out = take(c);
	return OK;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	if (c->curl)
		curl_easy_cleanup(c->curl);
	free(c->ca_file);
	free(c->unix_socket);
	free(c);
}

/* Method, URL, fields and body of one request. */
static CURLcode prepare(struct http_client *c, const struct http_client_request *req,
			struct curl_slist *fields, struct sink *sink)
{
	bool body =
	    req->body.len || strcmp(req->method, "POST") == 0 || strcmp(req->method, "PUT") == 0;
	CURLcode e;

	c->error[0] = '\0';
	(void)curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
	(void)curl_easy_setopt(c->curl, CURLOPT_NOBODY, strcmp(req->method, "HEAD") == 0 ? 1L : 0L);
	(void)curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, sink);
	(void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, fields);
	if (body) {
		(void)curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS,
				       req->body.len ? (const char *)req->body.p : "");
		(void)curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE,
				       (curl_off_t)req->body.len);
	}
	e = curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, req->method);
	return e != CURLE_OK ? e : curl_easy_setopt(c->curl, CURLOPT_URL, req->url);
}

/* libcurl's verdict in our words: what happened, and what to do. */
static enum result explain(const struct http_client *c, const struct http_client_request *req,
			   CURLcode e, const struct sink *sink, struct err *err)
{
	const char *detail = c->error[0] ? c->error : curl_easy_strerror(e);
	const char *where = c->unix_socket ? c->unix_socket : req->url;

	if (sink->too_large)
		return err_set(err, ERR_LIMIT,
			       "%s: the reply is larger than the limit of %zu bytes", where,
			       sink->max);
	switch (e) {
	case CURLE_OUT_OF_MEMORY:
	case CURLE_WRITE_ERROR:
		return err_nomem(err);
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return err_set(err, ERR_USAGE,
			       "\"%s\" is not a URL that begins with http:// or "
			       "https:// (%s)",
			       req->url, detail);
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return err_set(err, ERR_IO,
			       "%s: host name not found: check the URL and the name "
			       "service (%s)",
			       where, detail);
	case CURLE_COULDNT_CONNECT:
		return err_set(err, ERR_IO,
			       "%s: cannot connect: is the server running there, and "
			       "does a firewall let you through? (%s)",
			       where, detail);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, ERR_TIMEOUT, "%s: no whole reply in time: try again later (%s)",
			       where, detail);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(err, ERR_IO,
			       "%s: the server's TLS certificate is not trusted: give "
			       "the CA file that issued it (%s)",
			       where, detail);
	default:
		return err_set(err, ERR_IO, "%s: %s", where, detail);
	}
}

/* "Application/X-PKI-Message; charset=x" becomes "application/x-pki-message". */
static void copy_type(char out[128], const char *type)
{
	size_t n = type ? strcspn(type, "; \t") : 0, i;

	if (n > 127)
		n = 127;
	for (i = 0; i < n; i++)
		out[i] = type[i] >= 'A' && type[i] <= 'Z' ? (char)(type[i] + ('a' - 'A')) : type[i];
	out[n] = '\0';
}

static void fill(struct http_client *c, struct http_client_reply *reply, struct sink *sink)
{
	struct curl_header *field;
	curl_off_t seconds = 0;
	char *type = NULL;

	(void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &reply->status);
	(void)curl_easy_getinfo(c->curl, CURLINFO_CONTENT_TYPE, &type);
	copy_type(reply->content_type, type);
	(void)curl_easy_getinfo(c->curl, CURLINFO_RETRY_AFTER, &seconds);
	reply->retry_after = -1;
	if (curl_easy_header(c->curl, "Retry-After", 0, CURLH_HEADER, -1, &field) == CURLHE_OK)
		reply->retry_after = (long)seconds;
	reply->body = buf_take(&sink->body);
}

static struct curl_slist *fields_of(const struct http_client_request *req)
{
	/* without "Expect:" libcurl waits a second for a 100 that old servers never send */
	struct curl_slist *fields = curl_slist_append(NULL, "Expect:"), *more;
	BUF line = BUF_INIT;

	if (req->content_type)
		buf_printf(&line, "Content-Type: %s", req->content_type);
	else
		buf_put_str(&line, "Content-Type:"); /* not libcurl's own guess */
	more = fields && buf_cstr(&line) ? curl_slist_append(fields, buf_cstr(&line)) : NULL;
	if (!more)
		curl_slist_free_all(fields);
	return more;
}

enum result http_client_do(struct http_client *c, const struct http_client_request *req,
			   struct http_client_reply *reply, struct err *err)
{
	struct curl_slist *fields = fields_of(req);
	struct sink sink = { .body = BUF_INIT, .max = c->body_max };
	enum result r = OK;
	CURLcode e;

	if (!fields)
		return err_nomem(err);
	e = prepare(c, req, fields, &sink);
	if (e == CURLE_OK)
		e = curl_easy_perform(c->curl);
	if (e == CURLE_OK)
		fill(c, reply, &sink);
	else
		r = explain(c, req, e, &sink, err);
	buf_clear(&sink.body);
	(void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(fields);
	return r;
}

void http_client_reply_clear(struct http_client_reply *reply)
{
	buf_clear(&reply->body);
}
