/* SPDX-License-Identifier: Apache-2.0 */
#include "est/service.h"

#include "est/body.h"
#include "est/exchange.h"

static const struct operation {
	const char *path;
	const char *content_type; /* of the body; NULL: asked for with GET */
	est_operation_fn *serve;
} operations[] = {
	{ "/cacerts", NULL, est_cacerts },
	{ "/csrattrs", NULL, est_csrattrs },
	{ "/simpleenroll", EST_TYPE_PKCS10, est_simpleenroll },
	{ "/simplereenroll", EST_TYPE_PKCS10, est_simplereenroll },
	{ "/serverkeygen", EST_TYPE_PKCS10, est_serverkeygen },
	{ "/fullcmc", EST_TYPE_CMC, est_fullcmc },
};

static const struct operation *find(struct span path)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(operations); i++)
		if (span_eq_str(path, operations[i].path))
			return &operations[i];
	return NULL;
}

static bool method_is_right(const struct operation *o, const struct http_request *req,
			    struct http_reply *reply)
{
	bool get = req->method == HTTP_GET || req->method == HTTP_HEAD;

	if (o->content_type ? req->method == HTTP_POST : get)
		return true;
	http_reply_text(reply, 405, "RFC 7030 3.2.2: %s is asked for with %s", o->path,
			o->content_type ? "POST" : "GET");
	http_reply_header(reply, "Allow", "%s", o->content_type ? "POST" : "GET, HEAD");
	return false;
}

/* One that says nothing is taken at its body's word. */
static bool content_is_right(const struct operation *o, const struct http_request *req,
			     struct http_reply *reply)
{
	struct span type = http_header(req, "Content-Type");

	if (!o->content_type || type.len == 0 || est_body_is(type, o->content_type))
		return true;
	http_reply_text(reply, 415, "RFC 7030 3.2.2: %s takes %s, not %.*s", o->path,
			o->content_type, (int)span_sub(type, 0, 80).len, (const char *)type.p);
	return false;
}

static void refuse_unknown(struct span path, struct http_reply *reply)
{
	struct span shown = path.len ? span_sub(path, 0, 80) : SPAN_LIT("/");

	http_reply_text(reply, 404,
			"RFC 7030 3.2.2: there is no EST operation or label %.*s here; operations "
			"are cacerts, csrattrs, simpleenroll, simplereenroll, serverkeygen and "
			"fullcmc",
			(int)shown.len, (const char *)shown.p);
}

static void run(struct est_exchange *x, struct span path, struct http_reply *reply)
{
	const struct operation *o = find(path);
	struct err err = { 0 };

	if (!o) {
		refuse_unknown(path, reply);
		return;
	}
	reply->label.operation = o->path + 1;
	if (!method_is_right(o, x->http, reply) || !content_is_right(o, x->http, reply))
		return;
	if (x->ca) {
		o->serve(x, reply);
		return;
	}
	(void)!err_set(&err, ERR_BUSY, "the CA \"%s\" is not initialised: scepterctl ca init",
		       x->endpoint->policy.ca);
	est_reply_later(x, &err, reply);
}

static void clear(struct est_exchange *x)
{
	buf_wipe(&x->credentials);
	secret_clear(&x->otp);
	buf_wipe(&x->decoded); /* there may be a password among the request's attributes */
}

void est_service_handle(const struct est_service *s, struct crypto *c,
			const struct est_endpoint *endpoint, const struct authority_ca *ca,
			const struct http_request *req, struct span path, struct http_reply *reply)
{
	struct est_exchange x = {
		.service = s, .endpoint = endpoint, .ca = ca, .http = req, .c = c, .log = *s->log
	};

	log_hold(&x.log, req->lines);
	log_bind(&x.log, LOG_STR("endpoint", endpoint->name));
	log_bind(&x.log, LOG_STR("peer", req->peer));
	if (req->tls)
		run(&x, path, reply);
	else
		http_reply_text(reply, 403, "RFC 7030 3.3: EST is spoken over TLS only: use https");
	clear(&x);
}
