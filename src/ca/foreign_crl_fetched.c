/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists that are fetched: when, and what of it is kept. HTTP vouches for nothing, but the list is
 * signed; and an old one, which whoever stands between could send again, takes no place of a newer.
 */
#include "base/clock.h"
#include "base/file.h"
#include "ca/foreign_crl_state.h"
#include "pki/name.h"

#define REST_MIN 5          /* seconds from one attempt to the next */
#define REST_MAX (6 * 3600) /* who is revoked is to be known on the same day */
#define RETRY_DOUBLINGS 9   /* of REST_MIN: up to 43 minutes */

size_t foreign_crl_count(const struct foreign_crl *f)
{
	return f ? f->config.n_files : 0;
}

bool foreign_crl_fetched(const struct foreign_crl *f, size_t i, struct foreign_crl_fetched *out)
{
	const struct source *s = &f->sources[i];

	if (!s->url)
		return false;
	*out = (struct foreign_crl_fetched){ s->url, atomic_load(&s->next_update),
					     atomic_load(&s->failures) };
	return true;
}

const char *foreign_crl_due(const struct foreign_crl *f, size_t i, int64_t now)
{
	const struct source *s = &f->sources[i];

	return now >= s->next && !s->fetching ? s->url : NULL;
}

struct foreign_crl_version foreign_crl_begin(struct foreign_crl *f, size_t i)
{
	f->sources[i].fetching = true;
	return f->sources[i].version;
}

/* ---- what there is ---- */

/* When the first of them ends; 0: none says. */
static int64_t first_end(const struct foreign_lists *lists)
{
	int64_t end = 0;
	size_t i;

	for (i = 0; i < lists->n; i++)
		if (lists->v[i].crl.next_update && (!end || lists->v[i].crl.next_update < end))
			end = lists->v[i].crl.next_update;
	return end;
}

/* What is kept of it; nothing, where that will not do any more. */
static RESULT read_kept(const struct foreign_crl *f, const struct source *s, struct crypto *c,
			struct foreign_lists *out, struct err *err)
{
	CLEANUP(foreign_lists_clear) struct foreign_lists kept = { 0 };
	BUF issuers = BUF_INIT;

	if (!file_exists(s->path))
		return OK;
	TRY(foreign_crl_read_issuers(f, &issuers, err));
	if (foreign_lists_add_file(&kept, s->path, NULL) != OK ||
	    foreign_lists_find_issuers(&kept, 0, c, buf_span(&issuers), NULL) != OK)
		return OK;
	return foreign_lists_move(out, &kept, err);
}

void foreign_crl_missed(struct foreign_crl *f, size_t i, const struct foreign_crl_query *q)
{
	CLEANUP(foreign_lists_clear) struct foreign_lists kept = { 0 };
	struct source *s = &f->sources[i];
	unsigned failures = atomic_load(&s->failures);

	s->fetching = false;
	s->next = q->now +
		  ((int64_t)REST_MIN << (failures < RETRY_DOUBLINGS ? failures : RETRY_DOUBLINGS));
	atomic_store(&s->failures, failures + 1);
	/* after a restart, of what was fetched before */
	if (!atomic_load(&s->next_update) && read_kept(f, s, q->c, &kept, NULL) == OK)
		atomic_store(&s->next_update, first_end(&kept));
}

/* ---- what has come ---- */

static RESULT check_newer(const struct foreign_list *fresh, const struct foreign_lists *kept,
			  struct err *err)
{
	char old_text[CLOCK_TEXT_MAX], new_text[CLOCK_TEXT_MAX];
	size_t i;

	for (i = 0; i < kept->n; i++) {
		const struct foreign_list *old = &kept->v[i];

		if (fresh->crl.this_update >= old->crl.this_update ||
		    !name_equal(fresh->crl.issuer, old->crl.issuer) ||
		    !span_eq(buf_span(&fresh->spki), buf_span(&old->spki)))
			continue;
		clock_format(old->crl.this_update, old_text);
		clock_format(fresh->crl.this_update, new_text);
		return err_set(err, ERR_BAD_TIME,
			       "the list is of %s, older than the one that there is, of %s",
			       new_text, old_text);
	}
	return OK;
}

static RESULT read_fresh(const struct foreign_crl *f, struct crypto *c, struct span bytes,
			 struct foreign_lists *out, struct err *err)
{
	BUF issuers = BUF_INIT;
	BUF copy = BUF_INIT;

	buf_put(&copy, bytes);
	TRY(buf_check(&copy, err));
	TRY(foreign_crl_read_issuers(f, &issuers, err));
	TRY(foreign_lists_add(out, &copy, err));
	return foreign_lists_find_issuers(out, 0, c, buf_span(&issuers), err);
}

/* The same list again leaves its file alone, which would be read again. */
static RESULT write_list(const struct foreign_crl *f, const struct source *s, struct span bytes,
			 struct err *err)
{
	BUF old = BUF_INIT;

	if (file_exists(s->path) && file_read(s->path, bytes.len + 1, &old, NULL) == OK &&
	    span_eq(buf_span(&old), bytes))
		return OK;
	TRY(file_mkdir(f->folder, 0700, err));
	return file_write_atomic(s->path, 0600, bytes, err);
}

static int64_t next_time(int64_t end, int64_t now)
{
	int64_t rest = end ? (end - now) / 2 : REST_MAX;

	return now + (rest < REST_MIN ? REST_MIN : rest > REST_MAX ? REST_MAX : rest);
}

/* The latest that there is, whose first list ends then: a success, if that is to come. */
static RESULT succeed(struct source *s, int64_t end, int64_t now, struct err *err)
{
	char text[CLOCK_TEXT_MAX];

	atomic_store(&s->next_update, end);
	if (end && end < now) {
		clock_format(end, text);
		return err_set(err, ERR_BAD_TIME, "the list has ended at %s", text);
	}
	s->fetching = false;
	s->next = next_time(end, now);
	atomic_store(&s->failures, 0);
	return OK;
}

enum result foreign_crl_unchanged(struct foreign_crl *f, size_t i,
				  const struct foreign_crl_query *q, struct err *err)
{
	CLEANUP(foreign_lists_clear) struct foreign_lists kept = { 0 };
	struct source *s = &f->sources[i];

	TRY(read_kept(f, s, q->c, &kept, err));
	if (kept.n)
		return succeed(s, first_end(&kept), q->now, err);
	s->version = (struct foreign_crl_version){ 0 };
	return err_set(err, ERR_NOT_FOUND,
		       "the server has nothing newer than what was fetched, which is gone");
}

enum result foreign_crl_keep(struct foreign_crl *f, size_t i, const struct foreign_crl_query *q,
			     struct span bytes, const struct foreign_crl_version *version,
			     struct err *err)
{
	CLEANUP(foreign_lists_clear) struct foreign_lists fresh = { 0 };
	CLEANUP(foreign_lists_clear) struct foreign_lists kept = { 0 };
	struct source *s = &f->sources[i];
	size_t j;

	TRY(read_fresh(f, q->c, bytes, &fresh, err));
	TRY(read_kept(f, s, q->c, &kept, err));
	for (j = 0; j < fresh.n; j++)
		TRY(check_newer(&fresh.v[j], &kept, err));
	TRY(write_list(f, s, bytes, err));
	s->version = *version;
	return succeed(s, first_end(&fresh), q->now, err);
}
