/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/crl_publisher.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/thread.h"
#include "ca/crl_shelf.h"

#define LOOK_MS 1000
#define DEBOUNCE_MS 2000
#define RETRY_US 30000000 /* after a failure */

struct crl_publisher {
	struct crl_publisher_config config;
	pthread_t thread;
	bool started;
	/* who makes lists, or changes plans and shelves; taken before `lock` */
	pthread_mutex_t work;
	pthread_mutex_t lock; /* of the shelves and their sets, and of stop */
	pthread_cond_t wake;
	bool stop;
	struct crl_plan *plans; /* owned; under `work` */
	size_t n_plans;
	struct crl_shelf *shelves; /* one a generation of a CA; written under both */
	size_t n;
};

/* ---- plans and shelves; under `work` ---- */

static void plans_free(struct crl_plan *plans, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		crl_plan_clear(&plans[i]);
	free(plans);
}

static RESULT plans_copy(const struct crl_plan *plans, size_t n, struct crl_plan **out,
			 struct err *err)
{
	struct crl_plan *copy = calloc(n + 1, sizeof(*copy));
	enum result r = copy ? OK : err_nomem(err);
	size_t i;

	for (i = 0; r == OK && i < n; i++)
		r = crl_plan_copy(&plans[i], 0, &copy[i], err);
	if (r != OK)
		plans_free(copy, copy ? n : 0);
	else
		*out = copy;
	return r;
}

static void shelves_free(struct crl_shelf *shelves, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		crl_shelf_clear(&shelves[i]);
	free(shelves);
}

static struct crl_shelf *find_shelf(const struct crl_publisher *p, const char *ca,
				    unsigned generation)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->shelves[i].generation == generation &&
		    strcmp(p->shelves[i].plan.ca, ca) == 0)
			return &p->shelves[i];
	return NULL;
}

static RESULT add_shelf(struct crl_publisher *p, const struct crl_plan *plan, unsigned generation,
			struct err *err)
{
	struct crl_shelf made = { 0 }, *grown;
	enum result r = crl_shelf_init(&made, plan, generation, err);

	if (r != OK) {
		crl_shelf_clear(&made);
		return r;
	}
	crl_shelf_load(&made, p->config.store, &p->config.log);
	(void)pthread_mutex_lock(&p->lock);
	grown = reallocarray(p->shelves, p->n + 1, sizeof(*grown));
	if (grown) {
		p->shelves = grown;
		grown[p->n++] = made;
	}
	(void)pthread_mutex_unlock(&p->lock);
	if (grown)
		return OK;
	crl_shelf_clear(&made);
	return err_nomem(err);
}

/* A shelf for each generation whose certificates may still be valid. */
static RESULT add_missing(struct crl_publisher *p, const struct authority *a, struct err *err)
{
	int64_t now = clock_now(p->config.clock);
	const struct authority_ca *ca;
	size_t i;

	for (i = 0; i < p->n_plans; i++)
		for (ca = authority_oldest(a, p->plans[i].ca); ca; ca = ca->next)
			if (authority_ca_is_alive(ca, now) &&
			    !find_shelf(p, ca->name, ca->generation))
				TRY(add_shelf(p, &p->plans[i], ca->generation, err));
	return OK;
}

static void set_plans(struct crl_publisher *p, struct crl_plan *plans, size_t n)
{
	struct crl_shelf *old;
	size_t n_old;

	plans_free(p->plans, p->n_plans);
	p->plans = plans;
	p->n_plans = n;
	(void)pthread_mutex_lock(&p->lock);
	old = p->shelves;
	n_old = p->n;
	p->shelves = NULL;
	p->n = 0;
	(void)pthread_cond_signal(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
	shelves_free(old, n_old);
}

enum result crl_publisher_set(struct crl_publisher *p, const struct crl_plan *plans, size_t n,
			      struct err *err)
{
	struct authority *a = p->config.authority(p->config.ctx);
	struct crl_plan *copy = NULL;
	enum result r;

	(void)pthread_mutex_lock(&p->work);
	r = plans_copy(plans, n, &copy, err);
	if (r == OK) {
		set_plans(p, copy, n);
		r = add_missing(p, a, err);
	}
	(void)pthread_mutex_unlock(&p->work);
	authority_unref(a);
	return r;
}

struct crl_file *crl_publisher_get(struct crl_publisher *p, const char *ca, unsigned generation,
				   struct span name)
{
	struct crl_file *file = NULL;
	const struct crl_shelf *s;
	size_t list;

	(void)pthread_mutex_lock(&p->lock);
	s = find_shelf(p, ca, generation);
	list = s ? crl_plan_find(&s->plan, name) : SIZE_MAX;
	if (list != SIZE_MAX)
		file = crl_file_ref(s->set[list]);
	(void)pthread_mutex_unlock(&p->lock);
	return file;
}

/* ---- making; under `work` ---- */

/* On a copy of the set, which becomes the shelf's: readers see whole sets, and never wait. */
static RESULT make(struct crl_publisher *p, struct crl_shelf *s, const struct authority_ca *ca,
		   crl_make_fn *fn, struct crypto *c, struct err *err)
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
	s->changed_us = 0;
	s->not_before_us = r == OK ? 0 : clock_mono_us() + RETRY_US;
	return r;
}

static void look(struct crl_publisher *p, struct crl_shelf *s, const struct authority *a,
		 struct crypto *c)
{
	const struct authority_ca *ca =
	    authority_ca_sibling(authority_oldest(a, s->plan.ca), s->generation);
	int64_t now = clock_now(p->config.clock);
	struct err err = { 0 };
	int64_t change = 0;
	crl_make_fn *fn;

	if (!ca || !authority_ca_is_alive(ca, now) ||
	    store_last_change(p->config.store, s->plan.ca, &change, &err) != OK)
		return;
	fn = crl_shelf_due(s, p->config.debounce_ms, now, change);
	if (fn && make(p, s, ca, fn, c, &err) != OK)
		log_error(&p->config.log, "no new revocation list; the old ones stay",
			  LOG_STR("ca", s->plan.ca), LOG_INT("generation", s->generation),
			  LOG_ERR(&err));
}

/* A generation that was planned and does not come: its lists are nobody's. */
static bool is_cancelled(const struct authority *a, const struct crl_shelf *s)
{
	const struct authority_ca *ca = authority_oldest(a, s->plan.ca);

	while (ca && ca->next)
		ca = ca->next;
	return ca && s->generation > ca->generation && s->generation != ca->planned;
}

static void drop_cancelled(struct crl_publisher *p, const struct authority *a)
{
	size_t i;

	(void)pthread_mutex_lock(&p->lock);
	for (i = p->n; i-- > 0;) {
		if (!is_cancelled(a, &p->shelves[i]))
			continue;
		crl_shelf_clear(&p->shelves[i]);
		p->shelves[i] = p->shelves[--p->n];
	}
	(void)pthread_mutex_unlock(&p->lock);
}

static void look_at_all(struct crl_publisher *p, struct crypto *c)
{
	struct authority *a = p->config.authority(p->config.ctx);
	struct err err = { 0 };
	size_t i;

	(void)pthread_mutex_lock(&p->work);
	drop_cancelled(p, a);
	if (add_missing(p, a, &err) != OK)
		log_error(&p->config.log, "no place for revocation lists", LOG_ERR(&err));
	for (i = 0; i < p->n; i++)
		look(p, &p->shelves[i], a, c);
	(void)pthread_mutex_unlock(&p->work);
	authority_unref(a);
}

static RESULT rebuild(struct crl_publisher *p, const char *name, const struct authority *a,
		      struct crypto *c, struct err *err)
{
	int64_t now = clock_now(p->config.clock);
	const struct authority_ca *ca;
	struct crl_shelf *s;
	bool found = false;

	TRY(add_missing(p, a, err));
	for (ca = authority_oldest(a, name); ca; ca = ca->next) {
		s = find_shelf(p, name, ca->generation);
		if (!s || !authority_ca_is_alive(ca, now))
			continue;
		found = true;
		TRY(make(p, s, ca, crl_make_all, c, err));
	}
	if (found)
		return OK;
	return err_set(err, ERR_NOT_FOUND,
		       "CA \"%s\" publishes no revocation lists: no endpoint of protocol crl is "
		       "for it",
		       name);
}

enum result crl_publisher_rebuild(struct crl_publisher *p, const char *ca, struct crypto *c,
				  struct err *err)
{
	struct authority *a = p->config.authority(p->config.ctx);
	enum result r;

	(void)pthread_mutex_lock(&p->work);
	r = rebuild(p, ca, a, c, err);
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
	static const struct thread_kind kind = { .name = "crl" };
	CLEANUP(crl_publisher_freep) struct crl_publisher *p = calloc(1, sizeof(*p));

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
	TRY(thread_start(&p->thread, &kind, 0, run, p, err));
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
	plans_free(p->plans, p->n_plans);
	(void)pthread_cond_destroy(&p->wake);
	(void)pthread_mutex_destroy(&p->lock);
	(void)pthread_mutex_destroy(&p->work);
	free(p);
}
