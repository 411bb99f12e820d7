/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/cache.h"

#include <pthread.h>
#include <stdlib.h>

#define LOCKS 64
#define RESPONSE_MAX 8192

struct slot {
	struct buf key;
	struct buf response;
	struct ocsp_said said;
};

struct ocsp_cache {
	pthread_mutex_t locks[LOCKS]; /* of the slots, in turn */
	size_t n;
	struct slot slots[];
};

enum result ocsp_cache_new(struct ocsp_cache **out, size_t slots, struct err *err)
{
	struct ocsp_cache *c = calloc(1, sizeof(*c) + slots * sizeof(c->slots[0]));
	size_t i;

	if (!c)
		return err_nomem(err);
	c->n = slots;
	for (i = 0; i < LOCKS; i++)
		(void)pthread_mutex_init(&c->locks[i], NULL);
	*out = c;
	return OK;
}

static void slot_clear(struct slot *s)
{
	buf_clear(&s->key);
	buf_clear(&s->response);
	s->said = (struct ocsp_said){ 0 };
}

void ocsp_cache_free(struct ocsp_cache *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->n; i++)
		slot_clear(&c->slots[i]);
	for (i = 0; i < LOCKS; i++)
		(void)pthread_mutex_destroy(&c->locks[i]);
	free(c);
}

/* FNV-1a. Who makes collisions only makes others' responses be signed again. */
static size_t place_of(const struct ocsp_cache *c, struct span key)
{
	uint64_t h = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < key.len; i++)
		h = (h ^ key.p[i]) * 0x100000001b3;
	return h % c->n;
}

static bool says_the_same(const struct ocsp_said *a, const struct ocsp_said *b)
{
	return a->state == b->state &&
	       (a->state != OCSP_REVOKED || (a->revoked == b->revoked && a->reason == b->reason));
}

bool ocsp_cache_get(struct ocsp_cache *c, struct span key, int64_t now, struct ocsp_said *now_said,
		    struct buf *out)
{
	size_t place = place_of(c, key);
	struct slot *s = &c->slots[place];
	bool found;

	(void)pthread_mutex_lock(&c->locks[place % LOCKS]);
	found = s->response.len && span_eq(buf_span(&s->key), key) &&
		says_the_same(&s->said, now_said) && now < s->said.until &&
		now >= s->said.this_update;
	if (found) {
		buf_put(out, buf_span(&s->response));
		*now_said = s->said;
	}
	(void)pthread_mutex_unlock(&c->locks[place % LOCKS]);
	return found;
}

void ocsp_cache_put(struct ocsp_cache *c, struct span key, const struct ocsp_said *said,
		    struct span response)
{
	size_t place = place_of(c, key);
	struct slot *s = &c->slots[place];

	if (response.len > RESPONSE_MAX)
		return;
	(void)pthread_mutex_lock(&c->locks[place % LOCKS]);
	buf_reset(&s->key);
	buf_reset(&s->response);
	buf_put(&s->key, key);
	buf_put(&s->response, response);
	s->said = *said;
	if (s->key.failed || s->response.failed)
		slot_clear(s);
	(void)pthread_mutex_unlock(&c->locks[place % LOCKS]);
}
