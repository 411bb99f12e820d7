/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/crl_make.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ca/crl_spool.h"

#define PAGE 2000
#define URL_MAX 512

/* A list in the making; its record says what it will be. */
struct list {
	size_t number; /* CRL_COMPLETE ... */
	struct crl_spool spool;
	struct store_crl record;
};

struct making {
	const struct crl_maker *m;
	struct list *lists; /* CRL_COMPLETE, then the parts, or the delta alone */
	size_t n;
	bool had_before;
	struct store_crl before; /* the complete list that is published */
	int64_t now;
	int64_t change; /* the latest when it began: later ones may be in, or wait for the next */
	/* where the next page begins */
	struct buf serial;
	int64_t cursor;
	unsigned rows;
};

static void making_clear(struct making *k)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		crl_spool_close(&k->lists[i].spool);
	free(k->lists);
	buf_clear(&k->serial);
}

static RESULT find_before(struct making *k, struct err *err)
{
	const struct store_crl_kind complete = { k->m->ca->name, k->m->ca->generation, "", false };
	enum result r = store_find_crl(k->m->store, &complete, &k->before, err);

	k->had_before = r == OK;
	return r == ERR_NOT_FOUND ? OK : r;
}

static RESULT begin(struct making *k, size_t n, struct err *err)
{
	k->now = clock_now(k->m->clock);
	k->lists = calloc(n, sizeof(*k->lists));
	if (!k->lists)
		return err_nomem(err);
	for (; k->n < n; k->n++) {
		k->lists[k->n].spool = CRL_SPOOL_NONE;
		TRY(crl_spool_open(&k->lists[k->n].spool, k->m->plan->directory, err));
	}
	TRY(find_before(k, err));
	return store_last_change(k->m->store, k->m->ca->name, &k->change, err);
}

/* ---- entries ---- */

static struct crl_entry entry_of(const struct store_revoked *r)
{
	return (struct crl_entry){ .serial = r->serial,
				   .revoked = r->time,
				   .reason = (enum crl_reason)r->reason,
				   .invalid_since = r->invalid_since };
}

/* RFC 5280 3.3: an expired certificate stays until a list after its expiry has shown it. */
static bool was_shown(const struct making *k, const struct store_revoked *r)
{
	return k->had_before && r->not_after < k->before.this_update &&
	       r->changed <= k->before.change;
}

static enum result add_to_lists(void *ctx, const struct store_revoked *r, struct err *err)
{
	struct making *k = ctx;
	const struct crl_entry entry = entry_of(r);
	unsigned parts = k->m->plan->parts;

	k->rows++;
	buf_reset(&k->serial);
	buf_put(&k->serial, r->serial);
	if (r->reason == STORE_REASON_REMOVE || was_shown(k, r))
		return buf_check(&k->serial, err);
	TRY(crl_spool_add(&k->lists[0].spool, &entry, err));
	if (parts)
		TRY(crl_spool_add(&k->lists[1 + crl_plan_part(r->serial, parts)].spool, &entry,
				  err));
	return buf_check(&k->serial, err);
}

static RESULT collect_all(struct making *k, struct err *err)
{
	struct store_revoked_filter filter = { .ca = k->m->ca->name,
					       .generation = k->m->ca->generation,
					       .limit = PAGE };
	BUF from = BUF_INIT;

	do {
		buf_reset(&from);
		buf_put(&from, buf_span(&k->serial));
		TRY(buf_check(&from, err));
		filter.after_serial = buf_span(&from);
		k->rows = 0;
		TRY(store_each_revoked(k->m->store, &filter, add_to_lists, k, err));
	} while (k->rows == PAGE);
	return OK;
}

static enum result add_change(void *ctx, const struct store_revoked *r, struct err *err)
{
	struct making *k = ctx;
	const struct crl_entry entry = entry_of(r);

	k->rows++;
	k->cursor = r->changed;
	return crl_spool_add(&k->lists[0].spool, &entry, err);
}

static RESULT collect_changes(struct making *k, int64_t since, struct err *err)
{
	struct store_revoked_filter filter = { .ca = k->m->ca->name,
					       .generation = k->m->ca->generation,
					       .by_change = true,
					       .limit = PAGE };

	k->cursor = since;
	do {
		filter.after_change = k->cursor;
		k->rows = 0;
		TRY(store_each_revoked(k->m->store, &filter, add_change, k, err));
	} while (k->rows == PAGE);
	return OK;
}

/* ---- publication ---- */

static const char *url_of(const struct crl_plan *plan, size_t list, char out[URL_MAX])
{
	char name[CRL_NAME_MAX];

	crl_plan_name(list, name);
	(void)snprintf(out, URL_MAX, "%s/%s", plan->url, name);
	return out;
}

static struct crl_template template_of(const struct making *k, const struct list *l,
				       char url[URL_MAX])
{
	const struct crl_plan *plan = k->m->plan;
	struct crl_template t = { .sig_alg = sig_alg_for(k->m->ca->ca.key->kind),
				  .issuer = k->m->ca->ca.cert.subject,
				  .aki = buf_span(&k->m->ca->ca_ski),
				  .this_update = l->record.this_update,
				  .next_update = l->record.next_update,
				  .number = l->record.number,
				  .is_delta = l->record.is_delta,
				  .base = l->record.base };

	if (l->number >= CRL_FIRST_PART)
		t.point = url_of(plan, l->number, url);
	else if (l->number == CRL_COMPLETE && plan->delta_interval && plan->url)
		t.delta = url_of(plan, CRL_DELTA, url);
	return t;
}

static RESULT record(const struct making *k, struct list *l, struct crl_file *file, struct err *err)
{
	char until[CLOCK_TEXT_MAX], reason[200], name[CRL_NAME_MAX];
	struct store_event event = {
		.time = k->now, .kind = "crl.published", .ca = k->m->ca->name, .reason = reason
	};

	l->record.size = file->der.len;
	memcpy(l->record.sha256, file->sha256, STORE_HASH);
	file->record = l->record;
	crl_plan_name(l->number, name);
	clock_format(l->record.next_update, until);
	(void)snprintf(reason, sizeof(reason),
		       "%s of generation %u, number %" PRIu64 ", %" PRIu64
		       " entries, valid until %s",
		       name, l->record.generation, l->record.number, l->record.entries, until);
	return store_add_crl(k->m->store, &l->record, &event, err);
}

static RESULT move_into_place(const char *from, const char *to, const char *directory,
			      struct err *err)
{
	int fd, failed;

	if (rename(from, to))
		return err_errno(err, errno, "%s: rename", to);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	failed = fd < 0 || fsync(fd);
	if (fd >= 0)
		(void)close(fd);
	return failed ? err_errno(err, errno, "%s: sync directory", directory) : OK;
}

/* Written, read again as a verifier would, recorded with its number; then it may be seen. */
static RESULT publish_as(const struct making *k, struct list *l, const char *path,
			 struct crl_file **out, struct err *err)
{
	CLEANUP(crl_file_unrefp) struct crl_file *file = NULL;
	char tmp[PATH_MAX], url[URL_MAX];
	struct crl_template t = template_of(k, l, url);
	enum result r;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s: path too long", path);
	r = crl_spool_write(&l->spool, &t, k->m->ca->ca.key, k->m->c, tmp, err);
	l->record.entries = l->spool.entries;
	if (r == OK)
		r = crl_file_open(&file, tmp, k->m->c, err);
	if (r == OK)
		r = crl_file_check(file, &l->record, k->m->ca->ca.cert.spki, k->m->c, err);
	if (r == OK)
		r = record(k, l, file, err);
	if (r == OK)
		r = move_into_place(tmp, path, k->m->plan->directory, err);
	if (r != OK) {
		(void)unlink(tmp);
		return err_prefix(err, r, "%s", path);
	}
	*out = take(file);
	return OK;
}

static RESULT publish(const struct making *k, struct list *l, struct crl_file **set,
		      struct err *err)
{
	char path[PATH_MAX], name[CRL_NAME_MAX];
	struct crl_file *file = NULL;

	crl_plan_name(l->number, name);
	if (snprintf(path, sizeof(path), "%s/%s", k->m->plan->directory, name) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s: path too long", k->m->plan->directory);
	TRY(publish_as(k, l, path, &file, err));
	log_info(k->m->log, "revocation list published", LOG_STR("ca", k->m->ca->name),
		 LOG_STR("list", name), LOG_INT("generation", l->record.generation),
		 LOG_INT("number", l->record.number), LOG_INT("entries", l->record.entries),
		 LOG_INT("bytes", l->record.size));
	crl_file_unref(set[l->number]);
	set[l->number] = file;
	return OK;
}

static void describe(const struct making *k, struct list *l, size_t number, int64_t lasts)
{
	l->number = number;
	(void)snprintf(l->record.ca, sizeof(l->record.ca), "%s", k->m->ca->name);
	l->record.generation = k->m->ca->generation;
	crl_plan_scope(k->m->plan, number, l->record.scope);
	l->record.this_update = k->now;
	l->record.next_update = k->now + lasts;
	l->record.change = k->change;
}

static RESULT make_delta(const struct crl_maker *m, uint64_t number, const struct store_crl *base,
			 struct crl_file **set, struct err *err)
{
	CLEANUP(making_clear) struct making k = { .m = m };
	struct list *l;

	TRY(begin(&k, 1, err));
	l = &k.lists[0];
	describe(&k, l, CRL_DELTA, 2 * m->plan->delta_interval);
	l->record.is_delta = true;
	l->record.base = base->number;
	l->record.number = number;
	TRY(collect_changes(&k, base->change, err));
	return publish(&k, l, set, err);
}

/* The complete list that the delta list which is there was made for; the newest, if it is unknown.
 */
static RESULT find_base(const struct crl_maker *m, struct crl_file *const *set,
			struct store_crl *out, struct err *err)
{
	const struct store_crl_kind complete = { m->ca->name, m->ca->generation, "", false };
	const struct crl_file *delta = set[CRL_DELTA];
	enum result r = ERR_NOT_FOUND;

	if (delta)
		r = store_find_crl_number(m->store, &complete, delta->record.base, out, err);
	return r == ERR_NOT_FOUND ? store_find_crl(m->store, &complete, out, err) : r;
}

enum result crl_make_delta(const struct crl_maker *m, struct crl_file **set, struct err *err)
{
	struct store_crl base = { 0 };
	uint64_t number = 0;

	TRY(find_base(m, set, &base, err));
	TRY(store_next_crl_number(m->store, m->ca->name, &number, err));
	return make_delta(m, number, &base, set, err);
}

/* Complete list and delta that come together have one number (RFC 5280 5.2.3). */
static RESULT publish_all(struct making *k, bool scheduled, struct crl_file **set, struct err *err)
{
	const struct crl_maker *m = k->m;
	struct store_crl base = k->before;
	size_t i;

	if (m->plan->delta_interval && k->had_before && !scheduled)
		TRY(find_base(m, set, &base, err));

	for (i = 0; i < k->n; i++) {
		struct list *l = &k->lists[i];

		TRY(store_next_crl_number(m->store, m->ca->name, &l->record.number, err));
		TRY(publish(k, l, set, err));
	}
	if (!m->plan->delta_interval)
		return OK;
	if (!k->had_before)
		base = k->lists[0].record;
	return make_delta(m, k->lists[0].record.number, &base, set, err);
}

static RESULT make_all(const struct crl_maker *m, bool scheduled, struct crl_file **set,
		       struct err *err)
{
	CLEANUP(making_clear) struct making k = { .m = m };
	size_t i;

	if (m->plan->parts && !m->plan->url)
		return err_set(err, ERR_CONFIG,
			       "RFC 5280 5.2.5: parts of a revocation list need a URL");
	TRY(begin(&k, 1 + m->plan->parts, err));
	for (i = 0; i < k.n; i++)
		describe(&k, &k.lists[i], i ? CRL_FIRST_PART + i - 1 : CRL_COMPLETE,
			 m->plan->validity);
	TRY(collect_all(&k, err));
	return publish_all(&k, scheduled, set, err);
}

enum result crl_make_all(const struct crl_maker *m, struct crl_file **set, struct err *err)
{
	return make_all(m, true, set, err);
}

enum result crl_make_changed(const struct crl_maker *m, struct crl_file **set, struct err *err)
{
	return make_all(m, false, set, err);
}
