/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/front.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/random.h"
#include "base/siphash.h"

#define LOCKS 64
#define KEY_MAX 2048
#define RESPONSE_MAX 8192
#define HEADERS_MAX 4 /* RFC 5019 6.2: ETag, Last-Modified, Expires, Cache-Control */
#define VALUE_MAX 64

/* Immutable once it is in a slot, but for the count. */
struct entry {
	atomic_uint refs;
	struct ocsp_front_state made; /* now: when */
	struct ocsp_said said;
	struct {
		const char *name; /* static */
		char value[VALUE_MAX];
	} headers[HEADERS_MAX];
	size_t n_headers;
	const char *endpoint; /* these are behind the struct */
	struct span key;
	struct span response;
};

struct ocsp_front {
	uint64_t hash_key[2];
	pthread_mutex_t locks[LOCKS]; /* of the slots, in turn: held to take a reference */
	size_t n;
	struct entry *slots[];
};

static void unref(void *owner)
{
	struct entry *e = owner;

	if (e && atomic_fetch_sub(&e->refs, 1) == 1)
		free(e);
}

enum result ocsp_front_new(struct ocsp_front **out, size_t slots, struct err *err)
{
	CLEANUP(ocsp_front_freep)
	struct ocsp_front *f = calloc(1, sizeof(*f) + slots * sizeof(struct entry *));
	size_t i;

	if (!f)
		return err_nomem(err);
	f->n = slots;
	for (i = 0; i < LOCKS; i++)
		(void)pthread_mutex_init(&f->locks[i], NULL);
	TRY(random_fill((uint8_t *)f->hash_key, sizeof(f->hash_key), err));
	*out = take(f);
	return OK;
}

void ocsp_front_free(struct ocsp_front *f)
{
	size_t i;

	if (!f)
		return;
	for (i = 0; i < f->n; i++)
		unref(f->slots[i]);
	for (i = 0; i < LOCKS; i++)
		(void)pthread_mutex_destroy(&f->locks[i]);
	free(f);
}

/* ---- which request ---- */

static void put_part(uint8_t *out, size_t *len, struct span part)
{
	if (part.len)
		memcpy(out + *len, part.p, part.len);
	*len += part.len;
}

/*
 * Listener, path and body, each but the last with its end: neither of them holds a NUL. The method
 * decides which of these there are. Empty: one that is not kept.
 */
static struct span key_of(const struct http_request *req, uint8_t out[KEY_MAX])
{
	struct span listener = span_of(req->listener, strlen(req->listener) + 1);
	size_t len = 0;

	if ((req->method != HTTP_GET && req->method != HTTP_POST) ||
	    listener.len + req->path.len + 2 + req->body.len > KEY_MAX)
		return SPAN_NONE;
	put_part(out, &len, listener);
	put_part(out, &len, req->path);
	out[len++] = 0;
	out[len++] = req->method == HTTP_POST;
	put_part(out, &len, req->body);
	return span_of(out, len);
}

static size_t place_of(const struct ocsp_front *f, struct span key)
{
	return siphash(f->hash_key, key) % f->n;
}

/* ---- again ---- */

static bool holds(const struct entry *e, struct span key, const struct ocsp_front_state *state)
{
	return e && e->made.changes == state->changes && e->made.epoch == state->epoch &&
	       state->now >= e->made.now && state->now < e->said.until && span_eq(e->key, key);
}

static void fill(struct entry *e, int64_t now, struct http_reply *reply)
{
	size_t i;

	reply->status = 200;
	reply->content_type = "application/ocsp-response";
	reply->lent = (struct http_lent){ e->response, unref, e };
	reply->label.operation = "cached";
	for (i = 0; i < e->n_headers; i++)
		http_reply_header(reply, e->headers[i].name, "%s", e->headers[i].value);
	if (e->n_headers)
		http_reply_header(reply, "Cache-Control",
				  "max-age=%lld, public, no-transform, must-revalidate",
				  (long long)(e->said.next_update - now));
}

bool ocsp_front_get(struct ocsp_front *f, const struct http_request *req,
		    const struct ocsp_front_state *state, struct http_reply *reply,
		    const char **endpoint)
{
	uint8_t bytes[KEY_MAX];
	struct span key = key_of(req, bytes);
	struct entry *e;
	size_t place;
	bool found;

	if (!key.len)
		return false;
	place = place_of(f, key);
	(void)pthread_mutex_lock(&f->locks[place % LOCKS]);
	e = f->slots[place];
	found = holds(e, key, state);
	if (found)
		atomic_fetch_add(&e->refs, 1);
	(void)pthread_mutex_unlock(&f->locks[place % LOCKS]);
	if (found) {
		fill(e, state->now, reply);
		*endpoint = e->endpoint;
	}
	return found;
}

/* ---- the first time ---- */

/* False: this one is not for others, or has more to say than fits. */
static bool copy_headers(struct entry *e, const struct http_reply *reply)
{
	size_t i;

	for (i = 0; i < reply->n_headers; i++) {
		const char *name = reply->headers[i].name, *value = reply->headers[i].value;

		if (strcmp(name, "Cache-Control") == 0) {
			if (strstr(value, "no-store"))
				return false;
			continue; /* it counts down */
		}
		if (e->n_headers == HEADERS_MAX || strlen(value) >= VALUE_MAX)
			return false;
		e->headers[e->n_headers].name = name;
		memcpy(e->headers[e->n_headers++].value, value, strlen(value) + 1);
	}
	return true;
}

static struct entry *entry_new(struct span key, struct span response, const char *endpoint)
{
	struct span name = span_of(endpoint, strlen(endpoint) + 1);
	struct entry *e = calloc(1, sizeof(*e) + key.len + response.len + name.len);
	uint8_t *at = (uint8_t *)(e + 1);
	size_t len = 0;

	if (!e)
		return NULL;
	atomic_init(&e->refs, 1);
	e->key = span_of(at, key.len);
	e->response = span_of(at + key.len, response.len);
	e->endpoint = (const char *)at + key.len + response.len;
	put_part(at, &len, key);
	put_part(at, &len, response);
	put_part(at, &len, name);
	return e;
}

void ocsp_front_put(struct ocsp_front *f, const struct http_request *req,
		    const struct ocsp_front_state *state, const char *endpoint,
		    const struct ocsp_said *said, const struct http_reply *reply)
{
	struct span response = http_reply_body(reply);
	uint8_t bytes[KEY_MAX];
	struct span key = key_of(req, bytes);
	struct entry *e, *old;
	size_t place;

	if (!key.len || reply->status != 200 || response.len > RESPONSE_MAX)
		return;
	e = entry_new(key, response, endpoint);
	if (!e)
		return;
	e->made = *state;
	e->said = *said;
	if (!copy_headers(e, reply)) {
		unref(e);
		return;
	}
	place = place_of(f, key);
	(void)pthread_mutex_lock(&f->locks[place % LOCKS]);
	old = f->slots[place];
	f->slots[place] = e;
	(void)pthread_mutex_unlock(&f->locks[place % LOCKS]);
	unref(old);
}
