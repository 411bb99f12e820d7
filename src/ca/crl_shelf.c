/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/crl_shelf.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

enum result crl_shelf_init(struct crl_shelf *s, const struct crl_plan *plan, unsigned generation,
			   struct err *err)
{
	struct crl_shelf made = { .generation = generation };

	TRY(crl_plan_copy(plan, generation, &made.plan, err));
	made.set = calloc(crl_plan_lists(plan), sizeof(struct crl_file *));
	if (!made.set) {
		crl_plan_clear(&made.plan);
		return err_nomem(err);
	}
	*s = made;
	TRY(file_mkdir(plan->directory, 0755, err));
	return file_mkdir(s->plan.directory, 0755, err);
}

void crl_shelf_clear(struct crl_shelf *s)
{
	size_t i;

	for (i = 0; s->set && i < crl_plan_lists(&s->plan); i++)
		crl_file_unref(s->set[i]);
	free(s->set);
	crl_plan_clear(&s->plan);
	*s = (struct crl_shelf){ 0 };
}

static RESULT load(struct crl_shelf *s, size_t list, struct store *store, struct crypto *c,
		   struct err *err)
{
	CLEANUP(crl_file_unrefp) struct crl_file *file = NULL;
	char path[PATH_MAX], name[CRL_NAME_MAX], scope[STORE_SCOPE_MAX];
	const struct store_crl_kind kind = { s->plan.ca, s->generation, scope, list == CRL_DELTA };

	crl_plan_name(list, name);
	crl_plan_scope(&s->plan, list, scope);
	if (snprintf(path, sizeof(path), "%s/%s", s->plan.directory, name) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s: path too long", s->plan.directory);
	TRY(crl_file_open(&file, path, c, err));
	TRY(store_find_crl(store, &kind, &file->record, err));
	if (memcmp(file->sha256, file->record.sha256, STORE_HASH) != 0)
		return err_set(err, ERR_CONFLICT, "%s: not the list that is on record", path);
	s->set[list] = take(file);
	return OK;
}

void crl_shelf_load(struct crl_shelf *s, struct store *store, const struct log *log)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	struct err err = { 0 };
	size_t i;

	if (crypto_new(&c, false, &err) != OK)
		return;
	for (i = 0; i < crl_plan_lists(&s->plan); i++)
		if (load(s, i, store, c, &err) != OK && err.code != ERR_NOT_FOUND)
			log_warning(log, "revocation list passed over", LOG_ERR(&err));
}

static bool is_whole(const struct crl_shelf *s)
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

/* Is there a change that the list lacks, and was it first seen (*seen_us) so long ago? */
static bool lacks_change(const struct crl_file *list, int64_t change, int64_t *seen_us,
			 int64_t for_us)
{
	int64_t now = clock_mono_us();

	if (change <= list->record.change) {
		*seen_us = 0;
		return false;
	}
	if (!*seen_us)
		*seen_us = now;
	return now >= *seen_us + for_us;
}

/* Parts have no delta lists: they come with the complete one. */
static bool has_delta(const struct crl_shelf *s)
{
	return s->plan.delta_interval && !s->plan.parts;
}

crl_make_fn *crl_shelf_due(struct crl_shelf *s, unsigned debounce_ms, int64_t now, int64_t change)
{
	const int64_t debounce_us = debounce_ms * INT64_C(1000);
	int64_t full_us = debounce_us;

	if (clock_mono_us() < s->not_before_us)
		return NULL;
	if (!is_whole(s) || is_old(s->set[CRL_COMPLETE], s->plan.interval, now))
		return crl_make_all;
	if (has_delta(s) && s->plan.full_after * INT64_C(1000000) > debounce_us)
		full_us = s->plan.full_after * INT64_C(1000000);
	if (lacks_change(s->set[CRL_COMPLETE], change, &s->incomplete_us, full_us))
		return crl_make_changed;
	if (s->plan.delta_interval && is_old(s->set[CRL_DELTA], s->plan.delta_interval, now))
		return crl_make_delta;
	if (has_delta(s) && lacks_change(s->set[CRL_DELTA], change, &s->changed_us, debounce_us))
		return crl_make_delta;
	return NULL;
}
