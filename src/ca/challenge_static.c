/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/challenge.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/aside.h"
#include "base/base64.h"
#include "base/random.h"
#include "base/siphash.h"
#include "ca/check_queue.h"

#define LOG_N 15
#define BLOCK 8
#define PARALLEL 1
#define SALT 16
#define HASH 32
#define PART_MAX 64  /* octets of a salt or hash */
#define WRONG_MAX 16 /* wrong challenges remembered, so that repeating one costs nothing */
#define MAC CHECK_MAC

/* A stored hash and, once a device has shown it, the keyed hash of the challenge it is for. */
struct hash {
	unsigned log_n, r, p;
	uint8_t salt[PART_MAX];
	size_t salt_len;
	uint8_t hash[PART_MAX];
	size_t hash_len;
	bool known;
	uint8_t mac[MAC];
};

struct challenge_static {
	struct hash *hashes;
	size_t n;
	uint8_t key[MAC];       /* of this process, for the keyed hashes... */
	uint64_t source_key[2]; /* ...and those of who shows a challenge */
	pthread_mutex_t lock;
	struct check_queue queue;
	uint8_t wrong[WRONG_MAX][MAC];
	size_t n_wrong; /* ever; the latest WRONG_MAX are kept */
};

/* ---- the text form ---- */

static void put_base64(struct buf *out, struct span bytes)
{
	base64_put(out, bytes, 0);
	while (out->len && out->data[out->len - 1] == '=')
		out->len--;
}

enum result challenge_hash_static(struct crypto *c, const struct secret *challenge,
				  struct buf *text, struct err *err)
{
	uint8_t salt[SALT], hash[HASH];
	BUF line = BUF_INIT;

	TRY(random_fill(salt, sizeof(salt), err));
	TRY(crypto_scrypt(c, secret_span(challenge), SPAN_ARRAY(salt), 1ull << LOG_N, BLOCK,
			  PARALLEL, hash, sizeof(hash), err));
	buf_printf(&line, "$scrypt$ln=%d,r=%d,p=%d$", LOG_N, BLOCK, PARALLEL);
	put_base64(&line, SPAN_ARRAY(salt));
	buf_put_byte(&line, '$');
	put_base64(&line, SPAN_ARRAY(hash));
	buf_put(text, buf_span(&line));
	return buf_check(text, err);
}

static bool parse_part(struct span text, uint8_t out[PART_MAX], size_t *len, size_t min)
{
	BUF bytes = BUF_INIT;

	if (text.len > 2 * PART_MAX || base64_parse(text, &bytes, NULL) != OK || bytes.len < min ||
	    bytes.len > PART_MAX)
		return false;
	memcpy(out, bytes.data, bytes.len);
	*len = bytes.len;
	return true;
}

/* Costs between 1 MiB and 256 MiB: less protects nothing, more stops the server. */
static bool sane_cost(const struct hash *h)
{
	return h->log_n >= 10 && h->log_n <= 18 && h->r >= 1 && h->r <= 32 && h->p >= 1 &&
	       h->p <= 4 && ((uint64_t)h->r << h->log_n) * 128 >= 1u << 20 &&
	       ((uint64_t)h->r << h->log_n) * 128 <= 1u << 28;
}

static bool parse_hash(const char *text, struct hash *out)
{
	struct hash h = { 0 };
	struct span salt, rest;
	int at = 0;

	/* NOLINTNEXTLINE(cert-err34-c): the widths keep each number small */
	if (sscanf(text, "$scrypt$ln=%2u,r=%2u,p=%1u$%n", &h.log_n, &h.r, &h.p, &at) != 3 ||
	    at == 0)
		return false;
	rest = span_str(text + at);
	salt = span_sub(rest, 0, span_find(rest, '$'));
	rest = span_sub(rest, salt.len + 1, SIZE_MAX);
	if (!sane_cost(&h) || !parse_part(salt, h.salt, &h.salt_len, 8) ||
	    !parse_part(rest, h.hash, &h.hash_len, 16))
		return false;
	*out = h;
	return true;
}

enum result challenge_check_format(const char *text, struct err *err)
{
	struct hash h;

	if (parse_hash(text, &h))
		return OK;
	return err_set(err, ERR_CONFIG,
		       "is not a challenge hash of the form $scrypt$ln=15,r=8,p=1$SALT$HASH: make "
		       "one with \"scepterctl challenge hash\"");
}

/* ---- checking ---- */

enum result challenge_static_new(struct challenge_static **out, const char *const *hashes, size_t n,
				 struct err *err)
{
	CLEANUP(challenge_static_freep) struct challenge_static *s = calloc(1, sizeof(*s));
	size_t i;

	if (!s)
		return err_nomem(err);
	(void)pthread_mutex_init(&s->lock, NULL);
	s->hashes = calloc(n ? n : 1, sizeof(*s->hashes));
	if (!s->hashes)
		return err_nomem(err);
	s->n = n;
	for (i = 0; i < n; i++)
		if (!parse_hash(hashes[i], &s->hashes[i]))
			return challenge_check_format(hashes[i], err);
	TRY(random_fill(s->key, sizeof(s->key), err));
	TRY(random_fill((uint8_t *)s->source_key, sizeof(s->source_key), err));
	*out = take(s);
	return OK;
}

void challenge_static_free(struct challenge_static *s)
{
	if (!s)
		return;
	(void)pthread_mutex_destroy(&s->lock);
	free(s->hashes);
	explicit_bzero(s, sizeof(*s));
	free(s);
}

enum known { UNKNOWN, RIGHT, WRONG };

/* Under the lock. */
static enum known look_up(const struct challenge_static *s, const uint8_t mac[MAC])
{
	size_t kept = s->n_wrong < WRONG_MAX ? s->n_wrong : WRONG_MAX;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->hashes[i].known &&
		    span_eq_secret(span_of(s->hashes[i].mac, MAC), span_of(mac, MAC)))
			return RIGHT;
	for (i = 0; i < kept; i++)
		if (span_eq_secret(span_of(s->wrong[i], MAC), span_of(mac, MAC)))
			return WRONG;
	return UNKNOWN;
}

/* What a device shows, and who it is. */
struct shown {
	struct span challenge;
	const uint8_t *mac; /* of it */
	uint64_t source;
};

/* Locked. Until it is known, or this thread may find out (*check). */
static RESULT begin_check(struct challenge_static *s, const struct shown *shown, enum known *known,
			  struct check **check, struct err *err)
{
	while ((*known = look_up(s, shown->mac)) == UNKNOWN) {
		if (!check_queue_find(&s->queue, shown->mac))
			return check_queue_begin(&s->queue, &s->lock, shown->mac, shown->source,
						 check, err);
		TRY(check_queue_join(&s->queue, &s->lock, err));
	}
	return OK;
}

struct guess {
	const struct challenge_static *s;
	struct crypto *c;
	struct span challenge;
	size_t match; /* out: the hash that it is right for; s->n: none */
};

/* Runs without the lock: hashes are not changed but for known and mac. */
static enum result run_scrypt(void *arg, struct err *err)
{
	struct guess *g = arg;
	uint8_t got[PART_MAX];
	size_t i;

	for (i = 0; i < g->s->n && g->match == g->s->n; i++) {
		const struct hash *h = &g->s->hashes[i];

		TRY(crypto_scrypt(g->c, g->challenge, span_of(h->salt, h->salt_len),
				  1ull << h->log_n, h->r, h->p, got, h->hash_len, err));
		if (span_eq_secret(span_of(got, h->hash_len), span_of(h->hash, h->hash_len)))
			g->match = i;
	}
	explicit_bzero(got, sizeof(got));
	return OK;
}

/* Locked. A check that failed for another reason leaves nothing behind. */
static void end_check(struct challenge_static *s, struct check *check, enum result r, size_t match)
{
	if (r == OK && match < s->n) {
		s->hashes[match].known = true;
		memcpy(s->hashes[match].mac, check->mac, MAC);
	} else if (r == OK) {
		memcpy(s->wrong[s->n_wrong++ % WRONG_MAX], check->mac, MAC);
	}
	check_queue_end(&s->queue, check);
}

static RESULT find_out(struct challenge_static *s, struct crypto *c, const struct shown *shown,
		       enum known *known, struct err *err)
{
	struct guess guess = { s, c, shown->challenge, s->n };
	struct check *check = NULL;
	enum result r;

	(void)pthread_mutex_lock(&s->lock);
	r = begin_check(s, shown, known, &check, err);
	(void)pthread_mutex_unlock(&s->lock);
	if (r != OK || *known != UNKNOWN)
		return r;
	r = aside_run(run_scrypt, &guess, err);
	*known = guess.match < s->n ? RIGHT : WRONG;
	(void)pthread_mutex_lock(&s->lock);
	end_check(s, check, r, guess.match);
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

/* mac: of the challenge. */
static RESULT verify(struct challenge_static *s, struct crypto *c,
		     const struct challenge_shown *what, uint8_t mac[DIGEST_MAX], struct err *err)
{
	const struct shown shown = { what->challenge, mac, siphash(s->source_key, what->source) };
	enum known known = UNKNOWN;

	if (what->challenge.len == 0)
		return err_set(err, ERR_DENIED, "challenge: none shown");
	TRY(crypto_hmac(c, DIGEST_SHA256, SPAN_ARRAY(s->key), what->challenge, mac, err));
	TRY(find_out(s, c, &shown, &known, err));
	if (known == RIGHT)
		return OK;
	return err_set(err, ERR_DENIED, "challenge: wrong");
}

enum result challenge_static_verify(struct challenge_static *s, struct crypto *c,
				    const struct challenge_shown *shown, struct err *err)
{
	uint8_t mac[DIGEST_MAX];

	return verify(s, c, shown, mac, err);
}

enum result challenge_static_verify_as(struct challenge_static *s, struct crypto *c,
				       const struct challenge_shown *shown,
				       uint8_t name[STORE_HASH], struct err *err)
{
	uint8_t mac[DIGEST_MAX], digest[DIGEST_MAX] = { 0 };
	enum result r;
	size_t i;

	TRY(verify(s, c, shown, mac, err));
	(void)pthread_mutex_lock(&s->lock);
	for (i = 0; i + 1 < s->n; i++)
		if (s->hashes[i].known &&
		    span_eq_secret(SPAN_ARRAY(s->hashes[i].mac), span_of(mac, MAC)))
			break;
	(void)pthread_mutex_unlock(&s->lock);
	r = crypto_digest(
	    c, DIGEST_SHA256,
	    (const struct span[]){ span_of(s->hashes[i].salt, s->hashes[i].salt_len),
				   span_of(s->hashes[i].hash, s->hashes[i].hash_len) },
	    2, digest, err);
	if (r == OK)
		memcpy(name, digest, STORE_HASH);
	return r;
}
