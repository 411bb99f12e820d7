/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/tls_peer.h"

#define CONNECT_SECONDS 10
#define TOTAL_SECONDS 60
#define BODY_MAX ((size_t)4 << 20)
#define REDIRECTIONS_MAX 5

struct http_client {
	CURL *curl;
	char error[CURL_ERROR_SIZE];
	char *ca_file;
	char *unix_socket;
	unsigned total_seconds;
	size_t body_max;
	bool anyone;
	bool (*cancelled)(void *ctx);
	void *ctx;
	struct buf ca_pem; /* owned, like those below */
	struct buf cert_pem;
	struct buf key_pem;
	char *user;
	struct buf password; /* with a NUL */
	size_t binding_len;
	uint8_t binding[TLS_PEER_BINDING_MAX];
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

/* libcurl shows its SSL object only while a transfer runs: the first line of the reply will do. */
static size_t on_field(char *data, size_t size, size_t n, void *arg)
{
	const struct curl_tlssessioninfo *info = NULL;
	struct http_client *c = arg;

	(void)data;
	if (c->binding_len == 0 &&
	    curl_easy_getinfo(c->curl, CURLINFO_TLS_SSL_PTR, &info) == CURLE_OK && info &&
	    info->backend == CURLSSLBACKEND_OPENSSL && info->internals)
		c->binding_len = tls_peer_bind(info->internals, c->binding);
	return size * n;
}

static int on_progress(void *arg, UNUSED curl_off_t down_all, UNUSED curl_off_t down,
		       UNUSED curl_off_t up_all, UNUSED curl_off_t up)
{
	const struct http_client *c = arg;

	return c->cancelled(c->ctx);
}

static bool set_blob(struct http_client *c, CURLoption option, const struct buf *bytes)
{
	struct curl_blob blob = { .data = bytes->data,
				  .len = bytes->len,
				  .flags = CURL_BLOB_NOCOPY };

	return bytes->len == 0 || curl_easy_setopt(c->curl, option, &blob) == CURLE_OK;
}

/* Whom to believe over TLS, and who to be. */
static bool set_up_identity(struct http_client *c)
{
	bool ok = true;

	if (c->ca_file)
		ok &= curl_easy_setopt(c->curl, CURLOPT_CAINFO, c->ca_file) == CURLE_OK;
	ok &= set_blob(c, CURLOPT_CAINFO_BLOB, &c->ca_pem);
	/* the library would go on to trust the system's folder of CAs beside those that are named
	 */
	if (c->ca_file || c->ca_pem.len)
		ok &= curl_easy_setopt(c->curl, CURLOPT_CAPATH, NULL) == CURLE_OK;
	ok &= set_blob(c, CURLOPT_SSLCERT_BLOB, &c->cert_pem);
	ok &= set_blob(c, CURLOPT_SSLKEY_BLOB, &c->key_pem);
	if (c->anyone) {
		ok &= curl_easy_setopt(c->curl, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK;
		ok &= curl_easy_setopt(c->curl, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK;
	}
	if (c->user) {
		ok &= curl_easy_setopt(c->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK;
		ok &= curl_easy_setopt(c->curl, CURLOPT_USERNAME, c->user) == CURLE_OK;
		ok &= curl_easy_setopt(c->curl, CURLOPT_PASSWORD, (const char *)c->password.data) ==
		      CURLE_OK;
	}
	return ok;
}

static bool set_up(struct http_client *c, const struct http_client_config *config)
{
	const char *agent = config->user_agent ? config->user_agent : "scepter/" SCEPTER_VERSION;
	long connect = config->connect_seconds ? config->connect_seconds : CONNECT_SECONDS;
	bool ok = true;

	ok &= curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->error) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
	/* a redirect could send a request, and the challenge in it, where nobody meant it to go;
	   libcurl would follow it to any host */
	ok &= curl_easy_setopt(c->curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ==
	      CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_USERAGENT, agent) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, connect) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, (long)c->total_seconds) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, on_field) == CURLE_OK;
	ok &= curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, c) == CURLE_OK;
	if (c->cancelled) {
		ok &= curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK;
		ok &= curl_easy_setopt(c->curl, CURLOPT_XFERINFODATA, c) == CURLE_OK;
		ok &= curl_easy_setopt(c->curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
	}
	ok &= set_up_identity(c);
	if (c->unix_socket) {
		ok &=
		    curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->unix_socket) == CURLE_OK;
		ok &= curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*") == CURLE_OK;
	}
	return ok;
}

static enum result copy_identity(struct http_client *c, const struct http_client_config *config,
				 struct err *err)
{
	c->anyone = config->anyone;
	buf_put(&c->ca_pem, config->ca_pem);
	buf_put(&c->cert_pem, config->cert_pem);
	buf_put(&c->key_pem, config->key_pem);
	buf_put(&c->password, config->password);
	buf_put_byte(&c->password, '\0');
	TRY(buf_check(&c->ca_pem, err));
	TRY(buf_check(&c->cert_pem, err));
	TRY(buf_check(&c->key_pem, err));
	TRY(buf_check(&c->password, err));
	if (config->ca_file && !config->ca_pem.len && !(c->ca_file = strdup(config->ca_file)))
		return err_nomem(err);
	if (config->user && !(c->user = strdup(config->user)))
		return err_nomem(err);
	return OK;
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
	c->cancelled = config->cancelled;
	c->ctx = config->ctx;
	TRY(copy_identity(c, config, err));
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
	free(c->user);
	buf_clear(&c->ca_pem);
	buf_clear(&c->cert_pem);
	buf_wipe(&c->key_pem);
	buf_wipe(&c->password);
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
	c->binding_len = 0;
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

static const struct advice {
	CURLcode code;
	enum result result;
	const char *text;
} advices[] = {
	{ CURLE_OUT_OF_MEMORY, ERR_NOMEM, "out of memory" },
	{ CURLE_WRITE_ERROR, ERR_NOMEM, "out of memory for the reply" },
	{ CURLE_URL_MALFORMAT, ERR_USAGE, "not a URL" },
	{ CURLE_UNSUPPORTED_PROTOCOL, ERR_IO, "what answers there does not speak HTTP" },
	{ CURLE_WEIRD_SERVER_REPLY, ERR_IO, "what answers there does not speak HTTP" },
	{ CURLE_COULDNT_RESOLVE_HOST, ERR_IO,
	  "host name not found: check the URL and the name service" },
	{ CURLE_COULDNT_RESOLVE_PROXY, ERR_IO,
	  "proxy not found: check the environment's http_proxy and https_proxy" },
	{ CURLE_COULDNT_CONNECT, ERR_IO,
	  "cannot connect: does the server run there, and does a firewall let you through?" },
	{ CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT, "no whole reply in time: try again later" },
	{ CURLE_PARTIAL_FILE, ERR_IO, "the connection broke within the reply: try again" },
	{ CURLE_GOT_NOTHING, ERR_IO, "the server closed without a reply: try again" },
	{ CURLE_RECV_ERROR, ERR_IO, "the connection broke: try again" },
	{ CURLE_SSL_CONNECT_ERROR, ERR_IO,
	  "no TLS connection: is this a port for https, with TLS 1.2 or later?" },
	{ CURLE_PEER_FAILED_VERIFICATION, ERR_IO,
	  "the server's TLS certificate is not trusted, or names another host: give the CA "
	  "file that issued it" },
	{ CURLE_SSL_CACERT_BADFILE, ERR_CONFIG, "the CA file cannot be read" },
	{ CURLE_OK, ERR_IO, "the exchange failed" }, /* any other */
};

/* libcurl's verdict in our words: what happened, and what to do. */
static enum result explain(const struct http_client *c, const struct http_client_request *req,
			   CURLcode e, const struct sink *sink, struct err *err)
{
	const char *detail = c->error[0] ? c->error : curl_easy_strerror(e);
	const char *where = c->unix_socket ? c->unix_socket : req->url;
	/* a SCEP message in the query would leave no room for the rest, and nobody reads it */
	int len = (int)strcspn(where, "?");
	const struct advice *a = advices;

	if (sink->too_large)
		return err_set(err, ERR_LIMIT,
			       "%.*s: the reply is larger than the limit of %zu bytes", len, where,
			       sink->max);
	while (a->code != CURLE_OK && a->code != e)
		a++;
	return err_set(err, a->result, "%.*s: %s (%s)", len, where, a->text, detail);
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

static void copy_field(struct http_client *c, const char *name, char *out, size_t max)
{
	struct curl_header *field;
	size_t n;

	if (curl_easy_header(c->curl, name, 0, CURLH_HEADER, -1, &field) != CURLHE_OK)
		return;
	n = strlen(field->value);
	if (n < max)
		memcpy(out, field->value, n + 1);
}

static void fill(struct http_client *c, struct http_client_reply *reply, struct sink *sink)
{
	struct curl_header *field;
	curl_off_t seconds = 0;
	char *type = NULL, *location = NULL;
	long connects = 0;

	(void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &reply->status);
	(void)curl_easy_getinfo(c->curl, CURLINFO_CONTENT_TYPE, &type);
	copy_type(reply->content_type, type);
	(void)curl_easy_getinfo(c->curl, CURLINFO_RETRY_AFTER, &seconds);
	reply->retry_after = -1;
	if (curl_easy_header(c->curl, "Retry-After", 0, CURLH_HEADER, -1, &field) == CURLHE_OK)
		reply->retry_after = (long)seconds;
	copy_field(c, "ETag", reply->etag, sizeof(reply->etag));
	copy_field(c, "Last-Modified", reply->last_modified, sizeof(reply->last_modified));
	if (curl_easy_getinfo(c->curl, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK)
		reply->fresh = connects > 0;
	if (curl_easy_getinfo(c->curl, CURLINFO_REDIRECT_URL, &location) == CURLE_OK && location)
		buf_put_str(&reply->location, location);
	reply->body = buf_take(&sink->body);
}

/* Without a value: libcurl's own is left out. False: out of memory. */
static bool add_field(struct curl_slist **fields, const char *name, const char *value)
{
	struct curl_slist *more;
	BUF line = BUF_INIT;

	buf_printf(&line, value ? "%s: %s" : "%s:", name, value);
	more = buf_cstr(&line) ? curl_slist_append(*fields, buf_cstr(&line)) : NULL;
	if (more)
		*fields = more;
	return more != NULL;
}

static bool add_condition(struct curl_slist **fields, const char *name, const char *value)
{
	return !value || !*value || add_field(fields, name, value);
}

static struct curl_slist *fields_of(const struct http_client_request *req)
{
	struct curl_slist *fields = NULL;

	/* with "Expect" it would wait a second for a 100 that old servers never send; and the type
	   of a body would be its guess */
	if (add_field(&fields, "Expect", NULL) &&
	    add_field(&fields, "Content-Type", req->content_type) &&
	    add_condition(&fields, "If-None-Match", req->if_none_match) &&
	    add_condition(&fields, "If-Modified-Since", req->if_modified_since))
		return fields;
	curl_slist_free_all(fields);
	return NULL;
}

static enum result check_url(const char *url, struct err *err)
{
	if (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0)
		return OK;
	return err_set(err, ERR_USAGE,
		       "\"%.200s\" is not a URL that begins with http:// or https://", url);
}

static RESULT do_once(struct http_client *c, const struct http_client_request *req,
		      struct http_client_reply *reply, struct err *err)
{
	struct sink sink = { .body = BUF_INIT, .max = c->body_max };
	struct curl_slist *fields;
	enum result r = OK;
	CURLcode e;

	TRY(check_url(req->url, err));
	fields = fields_of(req);
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

/* ---- redirections ---- */

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *of_a = NULL, *of_b = NULL;
	bool same = curl_url_get(a, part, &of_a, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		    curl_url_get(b, part, &of_b, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		    strcasecmp(of_a, of_b) == 0;

	curl_free(of_a);
	curl_free(of_b);
	return same;
}

/* Scheme, host and port (RFC 6454 5). */
static bool same_origin(const char *a, const char *b)
{
	CURLU *of_a = curl_url(), *of_b = curl_url();
	bool same = of_a && of_b && curl_url_set(of_a, CURLUPART_URL, a, 0) == CURLUE_OK &&
		    curl_url_set(of_b, CURLUPART_URL, b, 0) == CURLUE_OK &&
		    same_part(of_a, of_b, CURLUPART_SCHEME) &&
		    same_part(of_a, of_b, CURLUPART_HOST) && same_part(of_a, of_b, CURLUPART_PORT);

	curl_url_cleanup(of_a);
	curl_url_cleanup(of_b);
	return same;
}

/* 303 has the answer to a POST fetched by GET elsewhere: that is not the same request again. */
static bool is_followed(const struct http_client_request *req, struct http_client_reply *reply)
{
	bool same = reply->status == 301 || reply->status == 302 || reply->status == 307 ||
		    reply->status == 308 ||
		    (reply->status == 303 && strcmp(req->method, "GET") == 0);

	return req->follow && same && reply->location.len &&
	       same_origin(req->url, buf_cstr(&reply->location));
}

enum result http_client_do(struct http_client *c, const struct http_client_request *req,
			   struct http_client_reply *reply, struct err *err)
{
	CLEANUP(http_client_reply_clear) struct http_client_reply got = { 0 };
	struct http_client_request next = *req;
	BUF url = BUF_INIT;
	unsigned hops;

	TRY(do_once(c, req, &got, err));
	for (hops = 0; is_followed(&next, &got); hops++) {
		if (hops == REDIRECTIONS_MAX)
			return err_set(err, ERR_LIMIT, "%.200s: more than %d redirections",
				       req->url, REDIRECTIONS_MAX);
		buf_clear(&url);
		url = buf_take(&got.location);
		next.url = buf_cstr(&url);
		http_client_reply_clear(&got);
		TRY(do_once(c, &next, &got, err));
	}
	*reply = got;
	got = (struct http_client_reply){ 0 };
	return OK;
}

struct span http_client_binding(const struct http_client *c)
{
	return span_of(c->binding, c->binding_len);
}

void http_client_reply_clear(struct http_client_reply *reply)
{
	buf_clear(&reply->body);
	buf_clear(&reply->location);
}
