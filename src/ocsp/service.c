/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/service.h"

#include <stdio.h>
#include <time.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/percent.h"
#include "store/revocation.h"

#define REQUEST_MAX 8192
#define TAG_OCTETS 16

/* One request on its way. */
struct exchange {
	const struct ocsp_service *s;
	struct crypto *c;
	const struct ocsp_endpoint *endpoint;
	const struct authority_ca *ca; /* the generation that answers */
	int64_t now;
	struct ocsp_request request;
	bool ours[OCSP_CERTS_MAX]; /* which of the certificates asked for are of that one */
	struct ocsp_data data;
	uint8_t responder[20];
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

/* ---- what is known of a certificate ---- */

static bool has_digest(struct exchange *x, enum digest_alg alg, struct span bytes,
		       struct span digest)
{
	uint8_t made[DIGEST_MAX];

	return crypto_digest(x->c, alg, &bytes, 1, made, NULL) == OK &&
	       span_eq(span_of(made, digest_size(alg)), digest);
}

static bool is_by(struct exchange *x, const struct ocsp_cert_id *id, const struct cert *ca)
{
	struct pubkey_info key;

	return pubkey_inspect(ca->spki, &key, NULL) == OK &&
	       has_digest(x, id->hash, key.key, id->key_hash) &&
	       has_digest(x, id->hash, ca->subject, id->name_hash);
}

/* Of this generation and those behind it; NULL: none. */
static const struct authority_ca *issuer_of(struct exchange *x, const struct ocsp_cert_id *id,
					    const struct authority_ca *from)
{
	if (id->hash == DIGEST_NONE)
		return NULL;
	while (from && !is_by(x, id, &from->ca.cert))
		from = from->next;
	return from;
}

/*
 * RFC 6960 4.2.2.2: a delegated responder answers for the key that has delegated it. So the first
 * certificate that is ours decides which generation answers.
 */
static RESULT find_generation(struct exchange *x, const struct authority_ca *oldest,
			      struct err *err)
{
	const struct authority_ca *found = NULL, *by;
	size_t i;

	for (i = 0; i < x->request.n; i++) {
		by = issuer_of(x, &x->request.certs[i], found ? found : oldest);
		if (!found)
			found = by;
		x->ours[i] = by && by == found;
	}
	if (!found)
		return err_set(err, ERR_DENIED,
			       "RFC 6960 2.3: all certificates are of issuers that this endpoint "
			       "does not answer for");
	if (!authority_ca_is_alive(found, x->now))
		return err_set(err, ERR_DENIED,
			       "RFC 6960 2.3: generation %u of CA \"%s\" has ended",
			       found->generation, found->name);
	if (!found->ocsp.key)
		return err_set(err, ERR_BUSY, "there is no responder's key yet");
	x->ca = found;
	return OK;
}

/* Those of the authority itself are not among the devices' in the store. */
static bool is_own(const struct authority_ca *ca, struct span serial)
{
	const struct ca_identity *own[] = { &ca->ca, &ca->ra_sign, &ca->ra_encrypt, &ca->ocsp };
	size_t i;

	for (i = 0; i < ARRAY_LEN(own); i++)
		if (own[i]->der.len && span_eq(own[i]->cert.serial, serial))
			return true;
	return false;
}

static void say_unissued(struct exchange *x, struct ocsp_single *out)
{
	out->state = x->endpoint->revoke_unissued ? OCSP_REVOKED : OCSP_UNKNOWN;
	out->revoked = 0; /* RFC 6960 2.2: January 1, 1970, and certificateHold */
	out->reason = CRL_CERTIFICATE_HOLD;
	x->data.extended_revoke |= x->endpoint->revoke_unissued;
}

static RESULT look_up(struct exchange *x, const struct ocsp_cert_id *id, struct ocsp_single *out,
		      struct err *err)
{
	struct store_status status = { 0 };
	enum result r;

	out->state = OCSP_GOOD;
	if (is_own(x->ca, id->serial))
		return OK;
	r = store_find_status(x->s->store, x->ca->name, id->serial, &status, err);
	if (r == ERR_NOT_FOUND || (r == OK && status.generation != x->ca->generation)) {
		say_unissued(x, out);
		return OK;
	}
	TRY(r);
	if (status.revoked) {
		out->state = OCSP_REVOKED;
		out->revoked = status.time;
		out->reason = (enum crl_reason)status.reason;
	}
	return OK;
}

static RESULT add_single(struct exchange *x, size_t i, struct err *err)
{
	const struct ocsp_cert_id *id = &x->request.certs[i];
	struct ocsp_single *out = &x->data.singles[x->data.n++];

	out->cert_id = id->whole;
	out->this_update = x->now;
	out->next_update = x->now + x->endpoint->validity;
	out->state = OCSP_UNKNOWN;
	return x->ours[i] ? look_up(x, id, out, err) : OK;
}

static RESULT look_up_all(struct exchange *x, struct err *err)
{
	size_t i;

	for (i = 0; i < x->request.n; i++)
		TRY(add_single(x, i, err));
	return OK;
}

/* ---- the answer ---- */

static RESULT sign(struct exchange *x, struct buf *out, struct err *err)
{
	const struct ca_identity *responder = &x->ca->ocsp;
	struct sig_alg alg = sig_alg_for(responder->key->kind);
	BUF data = BUF_INIT;
	BUF signature = BUF_INIT;

	x->data.produced_at = x->now;
	x->data.nonce = x->request.nonce;
	x->data.by_name = x->endpoint->by_name;
	x->data.responder = responder->cert.subject;
	if (!x->data.by_name) {
		TRY(cert_key_id(x->c, responder->cert.spki, x->responder, err));
		x->data.responder = SPAN_ARRAY(x->responder);
	}
	TRY(ocsp_response_put_data(&x->data, &data, err));
	TRY(key_sign(responder->key, x->c, KEY_FOR_OCSP, alg, buf_span(&data), &signature, err));
	return ocsp_response_assemble(buf_span(&data), alg, buf_span(&signature),
				      buf_span(&responder->der), out, err);
}

/* Of the endpoint, the certificate asked for and the responder's own. */
static RESULT cache_key(const struct exchange *x, struct buf *out, struct err *err)
{
	buf_put_str(out, x->endpoint->name);
	buf_put_byte(out, 0);
	buf_put(out, x->ca->ocsp.cert.serial);
	buf_put(out, x->request.certs[0].whole);
	return buf_check(out, err);
}

static RESULT answer_one(struct exchange *x, struct ocsp_said *said, struct buf *out,
			 struct err *err)
{
	BUF key = BUF_INIT;

	TRY(cache_key(x, &key, err));
	if (ocsp_cache_get(x->s->cache, buf_span(&key), x->now, said, out))
		return buf_check(out, err);
	TRY(sign(x, out, err));
	said->until = x->now + x->endpoint->validity / 2;
	ocsp_cache_put(x->s->cache, buf_span(&key), said, buf_span(out));
	return OK;
}

static struct ocsp_said said_of(const struct ocsp_single *s)
{
	return (struct ocsp_said){ .state = s->state,
				   .revoked = s->revoked,
				   .reason = s->reason,
				   .this_update = s->this_update,
				   .next_update = s->next_update };
}

/* *said: of the response, for caches. */
static RESULT answer(struct exchange *x, struct ocsp_said *said, struct buf *out, struct err *err)
{
	TRY(look_up_all(x, err));
	*said = said_of(&x->data.singles[0]);
	if (x->request.n == 1 && !x->request.nonce.len && x->s->cache)
		return answer_one(x, said, out, err);
	return sign(x, out, err);
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
	    x->data.extended_revoke ||
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
	struct ocsp_said said = { .state = OCSP_UNKNOWN };
	BUF bytes = BUF_INIT;

	if (!oldest)
		return err_set(err, ERR_BUSY, "there is no responder's key yet");
	TRY(read_request(x, req, path, &bytes, err));
	TRY(find_generation(x, oldest, err));
	TRY(answer(x, &said, &reply->body, err));
	if (x->s->said && x->request.n == 1 && !x->request.nonce.len && !x->data.extended_revoke)
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
