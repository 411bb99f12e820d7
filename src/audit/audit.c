/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "audit/record.h"
#include "base/hex.h"
#include "base/thread.h"
#include "pki/pem.h"

#define ACTOR "scepterd"
#define TICK_SECONDS 1

struct audit {
	struct audit_options options;
	struct key *key;
	uint8_t key_hash[AUDIT_HASH];
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of ending */
	pthread_cond_t wake;
	bool ending;

	/* The thread's own. */
	struct crypto *crypto;
	_Atomic int64_t sealed; /* no event up to this one needs a checkpoint; others may look */
	int64_t since;          /* monotonic us: when a later one was first seen; 0: none was */
	bool failing;           /* the last checkpoint could not be made */
};

/* ---- the end of the chain ---- */

struct end {
	int64_t id; /* 0: no events */
	bool checkpoint;
	uint8_t hash[AUDIT_HASH];
};

static enum result take_end(void *ctx, const struct store_event *e, struct err *err)
{
	struct end *end = ctx;

	if (e->hash.len != AUDIT_HASH)
		return err_set(err, ERR_IO, "event %lld has no hash: damaged", (long long)e->id);
	end->id = e->id;
	end->checkpoint = strcmp(e->kind, AUDIT_CHECKPOINT) == 0;
	memcpy(end->hash, e->hash.p, AUDIT_HASH);
	return OK;
}

static enum result find_end(const struct audit *a, struct end *out, struct err *err)
{
	struct store_event_filter filter = { .limit = 1, .newest_first = true };

	*out = (struct end){ 0 };
	return store_each_event(a->options.store, &filter, take_end, out, err);
}

/* The hash of one event; zeros for what is before the first. */
static enum result find_hash(const struct audit *a, int64_t id, uint8_t out[AUDIT_HASH],
			     struct err *err)
{
	struct store_event_filter filter = { .after_id = id - 1, .limit = 1 };
	struct end end = { 0 };

	if (id > 0)
		TRY(store_each_event(a->options.store, &filter, take_end, &end, err));
	if (end.id != id)
		return err_set(err, ERR_NOT_FOUND, "there is no event %lld", (long long)id);
	memcpy(out, end.hash, AUDIT_HASH);
	return OK;
}

/* ---- seals ---- */

struct span audit_spki(const struct audit *a)
{
	return key_spki(a->key);
}

enum result audit_position(const struct audit *a, struct audit_position *out, struct err *err)
{
	struct end end;

	TRY(find_end(a, &end, err));
	*out = (struct audit_position){ .last = end.id, .sealed = atomic_load(&a->sealed) };
	return OK;
}

enum result audit_seal_events(struct audit *a, struct crypto *c, int64_t first, int64_t last,
			      struct audit_sealed *out, struct err *err)
{
	CLEANUP(audit_sealed_clear)
	struct audit_sealed s = {
		.seal = { .first = first, .last = last, .time = clock_now(a->options.clock) }
	};
	BUF message = BUF_INIT;

	if (first < 1 || last < first)
		return err_set(err, ERR_NOT_FOUND, "there are no events %lld to %lld",
			       (long long)first, (long long)last);
	TRY(find_hash(a, first - 1, s.seal.prev, err));
	TRY(find_hash(a, last, s.seal.hash, err));
	memcpy(s.key, a->key_hash, AUDIT_HASH);
	TRY(audit_seal_put(&s.seal, &message, err));
	TRY(key_sign(a->key, c, KEY_FOR_AUDIT, sig_alg_for(a->key->kind), buf_span(&message),
		     &s.signature, err));
	*out = s;
	s = (struct audit_sealed){ 0 };
	return OK;
}

static enum result add_checkpoint(struct audit *a, int64_t last, struct err *err)
{
	CLEANUP(audit_sealed_clear) struct audit_sealed s = { 0 };
	struct store_event event = { .kind = AUDIT_CHECKPOINT, .actor = ACTOR };
	char reason[64];
	BUF detail = BUF_INIT;
	json_t *value;
	enum result r;

	TRY(audit_seal_events(a, a->crypto, 1, last, &s, err));
	value = audit_sealed_json(&s);
	r = audit_record_put(value, &detail, err);
	json_decref(value);
	TRY(r);
	(void)snprintf(reason, sizeof(reason), "events 1 to %lld sealed", (long long)last);
	event.time = s.seal.time;
	event.reason = reason;
	event.detail = buf_cstr(&detail);
	TRY(buf_check(&detail, err));
	return store_add_event(a->options.store, &event, err);
}

/* ---- the thread ---- */

static bool is_due(struct audit *a, const struct end *end, bool ending)
{
	int64_t now = clock_mono_us();

	if (end->id <= a->sealed)
		return false;
	if (a->since == 0)
		a->since = now;
	return ending || end->id - a->sealed >= a->options.checkpoint_events ||
	       now - a->since >= a->options.checkpoint_seconds * 1000000LL;
}

/* An event that came in between the seal and its checkpoint waits for the next one. */
static enum result work(struct audit *a, bool ending, struct err *err)
{
	struct end end, after;

	TRY(find_end(a, &end, err));
	if (!is_due(a, &end, ending))
		return OK;
	TRY(add_checkpoint(a, end.id, err));
	TRY(find_end(a, &after, err));
	a->sealed = after.id == end.id + 1 ? after.id : end.id;
	a->since = 0;
	return OK;
}

static void work_and_report(struct audit *a, bool ending)
{
	struct err err = { 0 };
	bool failed = work(a, ending, &err) != OK;

	if (failed && !a->failing)
		log_error(a->options.log, "no audit checkpoint could be made", LOG_ERR(&err));
	else if (!failed && a->failing)
		log_info(a->options.log, "audit checkpoints are made again");
	a->failing = failed;
}

static bool wait_tick(struct audit *a)
{
	struct timespec until;
	bool ending;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += TICK_SECONDS;
	(void)pthread_mutex_lock(&a->lock);
	while (!a->ending && pthread_cond_timedwait(&a->wake, &a->lock, &until) == 0)
		;
	ending = a->ending;
	(void)pthread_mutex_unlock(&a->lock);
	return ending;
}

static void *run(void *arg)
{
	struct audit *a = arg;
	bool ending = false;

	while (!ending) {
		ending = wait_tick(a);
		work_and_report(a, ending);
	}
	return NULL;
}

static enum result start_thread(struct audit *a, struct err *err)
{
	static const struct thread_kind kind = { .name = "audit" };

	TRY(thread_start(&a->thread, &kind, 0, run, a, err));
	a->started = true;
	return OK;
}

/* ---- the key ---- */

static enum result hash_key(struct audit *a, struct err *err)
{
	uint8_t digest[DIGEST_MAX];
	struct span spki = key_spki(a->key);

	TRY(crypto_digest(a->crypto, DIGEST_SHA256, &spki, 1, digest, err));
	memcpy(a->key_hash, digest, AUDIT_HASH);
	return OK;
}

static enum result record_key(struct audit *a, struct err *err)
{
	struct store_event event = { .time = clock_now(a->options.clock),
				     .kind = "audit.key_created",
				     .actor = ACTOR };
	BUF pem = BUF_INIT, detail = BUF_INIT, reason = BUF_INIT;
	json_t *value;
	enum result r;

	buf_put_str(&reason, "key of the audit seals, SHA-256 ");
	hex_put(&reason, SPAN_ARRAY(a->key_hash));
	pem_put(&pem, "PUBLIC KEY", key_spki(a->key));
	value = json_pack("{s:s%}", "public_key", (const char *)pem.data, pem.len);
	r = audit_record_put(value, &detail, err);
	json_decref(value);
	TRY(r);
	event.reason = buf_cstr(&reason);
	event.detail = buf_cstr(&detail);
	TRY(buf_check(&reason, err));
	return store_add_event(a->options.store, &event, err);
}

static enum result make_key(struct audit *a, struct err *err)
{
	const struct key_rule rule = { .audit = true };

	TRY(keeper_generate(a->options.keeper, AUDIT_KEY_ID, (struct key_spec){ KEY_EC_P256, 256 },
			    &rule, err));
	TRY(keeper_key_open(&a->key, a->options.keeper, AUDIT_KEY_ID, err));
	TRY(hash_key(a, err));
	return record_key(a, err);
}

static enum result open_key(struct audit *a, struct err *err)
{
	enum result r = keeper_key_open(&a->key, a->options.keeper, AUDIT_KEY_ID, err);

	if (r == ERR_NOT_FOUND)
		return make_key(a, err);
	TRY(r);
	return hash_key(a, err);
}

/* ---- the whole ---- */

static void init_wake(struct audit *a)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&a->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
}

enum result audit_open(struct audit **out, const struct audit_options *options, struct err *err)
{
	CLEANUP(audit_closep) struct audit *a = calloc(1, sizeof(*a));
	struct end end;

	if (!a)
		return err_nomem(err);
	a->options = *options;
	init_wake(a);
	TRY(crypto_new(&a->crypto, false, err));
	TRY(open_key(a, err));
	TRY(find_end(a, &end, err));
	a->sealed = end.checkpoint ? end.id : 0;
	TRY(start_thread(a, err));
	*out = take(a);
	return OK;
}

void audit_close(struct audit *a)
{
	if (!a)
		return;
	(void)pthread_mutex_lock(&a->lock);
	a->ending = true;
	(void)pthread_cond_signal(&a->wake);
	(void)pthread_mutex_unlock(&a->lock);
	if (a->started)
		(void)pthread_join(a->thread, NULL);
	key_free(a->key);
	crypto_free(a->crypto);
	(void)pthread_cond_destroy(&a->wake);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}
