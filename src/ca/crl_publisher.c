/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/crl_publisher.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"

#define LOOK_MS 1000
#define DEBOUNCE_MS 2000
#define RETRY_US 30000000 /* after a failure */

/* The lists of one CA. Changed only under `work`; the set is read under `lock`. */
struct shelf {
	struct crl_plan plan; /* owns its strings */
	struct crl_file **set;
	unsigned generation; /* of the CA when they were made; 0: not known */
	int64_t changed_us;  /* when a change was first seen that no list tells; 0: none */
	int64_t not_before_us;
};

struct crl_publisher {
	struct crl_publisher_config config;
	pthread_t thread;
	bool started;
	pthread_mutex_t work; /* who makes lists, or changes the shelves; taken before `lock` */
	pthread_mutex_t lock; /* of shelves and their sets, and of stop */
	pthread_cond_t wake;
	bool stop;
	struct shelf *shelves;
	size_t n;
};

/* ---- shelves ---- */

static void shelves_free(struct shelf *shelves, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; shelves[i].set && k < crl_plan_lists(&shelves[i].plan); k++)
			crl_file_unref(shelves[i].set[k]);
		free(shelves[i].set);
		free((void *)(uintptr_t)shelves[i].plan.ca);
		free((void *)(uintptr_t)shelves[i].plan.directory);
		free((void *)(uintptr_t)shelves[i].plan.url);
	}
	free(shelves);
}

static RESULT shelf_init(struct shelf *s, const struct crl_plan *plan, struct err *err)
{
	s->plan = *plan;
	s->plan.ca = strdup(plan->ca);
	s->plan.directory = strdup(plan->directory);
	s->plan.url = plan->url ? strdup(plan->url) : NULL;
	s->set = calloc(crl_plan_lists(plan), sizeof(struct crl_file *));
	if (!s->plan.ca || !s->plan.directory || (plan->url && !s->plan.url) || !s->set)
		return err_nomem(err);
	return file_mkdir(plan->directory, 0755, err);
}

/* What lies there from before, if it is the very list that the store has on record. */
static RESULT shelf_load(const struct crl_publisher *p, struct shelf *s, size_t list,
			 struct crypto *c, struct err *err)
{
	CLEANUP(crl_file_unrefp) struct crl_file *file = NULL;
	char path[PATH_MAX], name[CRL_NAME_MAX], scope[STORE_SCOPE_MAX];
	struct store_crl_kind kind;
	enum result r;

	crl_plan_name(list, name);
	crl_plan_scope(&s->plan, list, scope);
	if (snprintf(path, sizeof(path), "%s/%s", s->plan.directory, name) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s: path too long", s->plan.directory);
	r = crl_file_open(&file, path, c, err);
	if (r != OK)
		return r;
	kind = (struct store_crl_kind){ s->plan.ca, 1, scope, list == CRL_DELTA };
	TRY(store_find_crl(p->config.store, &kind, &file->record, err));
	if (memcmp(file->sha256, file->record.sha256, STORE_HASH) != 0)
		return err_set(err, ERR_CONFLICT, "%s: not the list that is on record", path);
	s->set[list] = take(file);
	return OK;
}

static void shelf_load_all(const struct crl_publisher *p, struct shelf *s)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	struct err err = { 0 };
	size_t i;

	if (crypto_new(&c, false, &err) != OK)
		return;
	for (i = 0; i < crl_plan_lists(&s->plan); i++)
		if (shelf_load(p, s, i, c, &err) != OK && err.code != ERR_NOT_FOUND)
			log_warning(&p->config.log, "revocation list passed over", LOG_ERR(&err));
}

static RESULT shelves_new(const struct crl_publisher *p, const struct crl_plan *plans, size_t n,
			  struct shelf **out, struct err *err)
{
	struct shelf *made = calloc(n + 1, sizeof(*made));
	enum result r = made ? OK : err_nomem(err);
	size_t i;

	for (i = 0; r == OK && i < n; i++) {
		r = shelf_init(&made[i], &plans[i], err);
		if (r == OK)
			shelf_load_all(p, &made[i]);
	}
	if (r != OK)
		shelves_free(made, made ? n : 0);
	else
		*out = made;
	return r;
}

enum result crl_publisher_set(struct crl_publisher *p, const struct crl_plan *plans, size_t n,
			      struct err *err)
{
	struct shelf *made = NULL, *old;
	enum result r;
	size_t n_old;

	(void)pthread_mutex_lock(&p->work);
	r = shelves_new(p, plans, n, &made, err);
	if (r != OK) {
		(void)pthread_mutex_unlock(&p->work);
		return r;
	}
	(void)pthread_mutex_lock(&p->lock);
	old = p->shelves;
	n_old = p->n;
	p->shelves = made;
	p->n = n;
	(void)pthread_cond_signal(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
	(void)pthread_mutex_unlock(&p->work);
	shelves_free(old, n_old);
	return OK;
}

struct crl_file *crl_publisher_get(struct crl_publisher *p, const char *ca, struct span name)
{
	struct crl_file *file = NULL;
	size_t i, list;

	(void)pthread_mutex_lock(&p->lock);
	for (i = 0; i < p->n; i++) {
		if (strcmp(p->shelves[i].plan.ca, ca) != 0)
			continue;
		list = crl_plan_find(&p->shelves[i].plan, name);
		if (list != SIZE_MAX)
			file = crl_file_ref(p->shelves[i].set[list]);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return file;
}

/* ---- making; under `work` ---- */

typedef enum result make_fn(const struct crl_maker *m, struct crl_file **set, struct err *err);

/* On a copy of the set, which becomes the shelf's: readers see whole sets, and never wait. */
static RESULT make(struct crl_publisher *p, struct shelf *s, const struct authority_ca *ca,
		   make_fn *fn, struct crypto *c, struct err *err)
{
	const struct crl_maker m = { .store = p->config.store,
				     .clock = p->config.clock,
				     .log = &p->config.log,
				     .c = c,
				     .ca = ca,
				     .plan = &s->plan };
	size_t n = crl_plan_lists(&s->plan), i;
	struct crl_file **set = calloc(n, sizeof(struct crl_file *)), **old;
	enum result r;

	if (!set)
		return err_nomem(err);
	for (i = 0; i < n; i++)
		set[i] = crl_file_ref(s->set[i]);
	r = fn(&m, set, err);
	(void)pthread_mutex_lock(&p->lock);
	old = s->set;
	s->set = set;
	(void)pthread_mutex_unlock(&p->lock);
	for (i = 0; i < n; i++)
		crl_file_unref(old[i]);
	free(old);
	if (r == OK)
		s->generation = ca->generation;
	s->changed_us = 0;
	s->not_before_us = r == OK ? 0 : clock_mono_us() + RETRY_US;
	return r;
}

static bool set_is_whole(const struct shelf *s)
{
	size_t i;

	for (i = 0; i < crl_plan_lists(&s->plan); i++)
		if (!s->set[i] && (i != CRL_DELTA || s->plan.delta_interval))
			return false;
	return true;
}

static bool is_old(const struct crl_file *f, int64_t interval, int64_t now)
{
	return now >= f->record.this_update + interval || now < f->record.this_update;
}

/* Is there a change that was seen long enough ago? */
static bool change_is_due(const struct crl_publisher *p, struct shelf *s, int64_t change)
{
	const struct crl_file *newest =
	    s->plan.delta_interval ? s->set[CRL_DELTA] : s->set[CRL_COMPLETE];
	int64_t now = clock_mono_us();

	if (change <= newest->record.change) {
		s->changed_us = 0;
		return false;
	}
	if (!s->changed_us)
		s->changed_us = now;
	return now >= s->changed_us + p->config.debounce_ms * INT64_C(1000);
}

/* What is to be done for this CA now; NULL: nothing. */
static make_fn *due(const struct crl_publisher *p, struct shelf *s, const struct authority_ca *ca,
		    int64_t change)
{
	int64_t now = clock_now(p->config.clock);

	if (clock_mono_us() < s->not_before_us)
		return NULL;
	if (!set_is_whole(s) || (s->generation && s->generation != ca->generation) ||
	    is_old(s->set[CRL_COMPLETE], s->plan.interval, now))
		return crl_make_all;
	if (s->plan.delta_interval && is_old(s->set[CRL_DELTA], s->plan.delta_interval, now))
		return crl_make_delta;
	if (!change_is_due(p, s, change))
		return NULL;
	/* parts have no delta lists */
	return s->plan.delta_interval && !s->plan.parts ? crl_make_delta : crl_make_all;
}

static void look(struct crl_publisher *p, struct shelf *s, const struct authority *a,
		 struct crypto *c)
{
	const struct authority_ca *ca = authority_find(a, s->plan.ca);
	struct err err = { 0 };
	int64_t change = 0;
	make_fn *fn;

	if (!ca || store_last_change(p->config.store, s->plan.ca, &change, &err) != OK)
		return;
	fn = due(p, s, ca, change);
	if (fn && make(p, s, ca, fn, c, &err) != OK)
		log_error(&p->config.log, "no new revocation list; the old ones stay",
			  LOG_STR("ca", s->plan.ca), LOG_ERR(&err));
}

static void look_at_all(struct crl_publisher *p, struct crypto *c)
{
	struct authority *a = p->config.authority(p->config.ctx);
	size_t i;

	(void)pthread_mutex_lock(&p->work);
	for (i = 0; i < p->n; i++)
		look(p, &p->shelves[i], a, c);
	(void)pthread_mutex_unlock(&p->work);
	authority_unref(a);
}

enum result crl_publisher_rebuild(struct crl_publisher *p, const char *ca, struct crypto *c,
				  struct err *err)
{
	struct authority *a = p->config.authority(p->config.ctx);
	const struct authority_ca *found = authority_find(a, ca);
	enum result r;
	size_t i;

	(void)pthread_mutex_lock(&p->work);
	for (i = 0; i < p->n; i++)
		if (strcmp(p->shelves[i].plan.ca, ca) == 0)
			break;
	if (i == p->n || !found)
		r = err_set(err, ERR_NOT_FOUND,
			    "CA \"%s\" publishes no revocation lists: no endpoint of protocol crl "
			    "is for it",
			    ca);
	else
		r = make(p, &p->shelves[i], found, crl_make_all, c, err);
	(void)pthread_mutex_unlock(&p->work);
	authority_unref(a);
	return r;
}

/* ---- the thread ---- */

static void wait_for_next(struct crl_publisher *p)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += p->config.look_ms / 1000;
	until.tv_nsec += p->config.look_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	(void)pthread_cond_timedwait(&p->wake, &p->lock, &until);
}

static void *run(void *arg)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	struct crl_publisher *p = arg;
	struct err err = { 0 };

	if (crypto_new(&c, false, &err) != OK) {
		log_error(&p->config.log, "no revocation lists will be made", LOG_ERR(&err));
		return NULL;
	}
	(void)pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		(void)pthread_mutex_unlock(&p->lock);
		look_at_all(p, c);
		(void)pthread_mutex_lock(&p->lock);
		if (!p->stop)
			wait_for_next(p);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

enum result crl_publisher_new(struct crl_publisher **out, const struct crl_publisher_config *config,
			      struct err *err)
{
	CLEANUP(crl_publisher_freep) struct crl_publisher *p = calloc(1, sizeof(*p));
	int failed;

	if (!p)
		return err_nomem(err);
	p->config = *config;
	if (!p->config.look_ms)
		p->config.look_ms = LOOK_MS;
	if (!p->config.debounce_ms)
		p->config.debounce_ms = DEBOUNCE_MS;
	(void)pthread_mutex_init(&p->work, NULL);
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->wake, NULL);
	failed = pthread_create(&p->thread, NULL, run, p);
	if (failed)
		return err_errno(err, failed, "publisher of revocation lists: thread");
	p->started = true;
	*out = take(p);
	return OK;
}

void crl_publisher_free(struct crl_publisher *p)
{
	if (!p)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_cond_signal(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
	if (p->started)
		(void)pthread_join(p->thread, NULL);
	shelves_free(p->shelves, p->n);
	(void)pthread_cond_destroy(&p->wake);
	(void)pthread_mutex_destroy(&p->lock);
	(void)pthread_mutex_destroy(&p->work);
	free(p);
}
