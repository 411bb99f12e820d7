/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/siphash.h"
#include "ca/foreign_crl_state.h"
#include "pki/name.h"

#define LOOK_EVERY_US 1000000

/* ---- where lists come from ---- */

bool foreign_crl_is_url(const char *file)
{
	return strncmp(file, "http://", 7) == 0;
}

static RESULT source_init(struct source *s, const char *file, const char *folder, struct err *err)
{
	static const uint64_t key[2] = { 0, 0 }; /* it is the administrator who chooses the URLs */

	if (!foreign_crl_is_url(file)) {
		s->path = strdup(file);
		return s->path ? OK : err_nomem(err);
	}
	s->url = file;
	if (asprintf(&s->path, "%s/%016" PRIx64 ".crl", folder, siphash(key, span_str(file))) >= 0)
		return OK;
	s->path = NULL;
	return err_nomem(err);
}

static RESULT make_sources(struct foreign_crl *f, struct err *err)
{
	size_t i;

	if (f->config.data && asprintf(&f->folder, "%s/client-crl", f->config.data) < 0) {
		f->folder = NULL;
		return err_nomem(err);
	}
	f->sources = calloc(f->config.n_files + 1, sizeof(*f->sources));
	if (!f->sources)
		return err_nomem(err);
	for (i = 0; i < f->config.n_files; i++)
		TRY(source_init(&f->sources[i], f->config.files[i], f->folder, err));
	f->sources[i].path = strdup(f->config.issuers);
	return f->sources[i].path ? OK : err_nomem(err);
}

enum result foreign_crl_new(struct foreign_crl **out, const struct foreign_crl_config *config,
			    struct err *err)
{
	CLEANUP(foreign_crl_freep) struct foreign_crl *f = calloc(1, sizeof(*f));

	if (!f)
		return err_nomem(err);
	f->config = *config;
	(void)pthread_mutex_init(&f->looking, NULL);
	(void)pthread_rwlock_init(&f->lock, NULL);
	TRY(make_sources(f, err));
	*out = take(f);
	return OK;
}

void foreign_crl_free(struct foreign_crl *f)
{
	size_t i;

	if (!f)
		return;
	foreign_lists_clear(&f->lists);
	(void)pthread_rwlock_destroy(&f->lock);
	(void)pthread_mutex_destroy(&f->looking);
	for (i = 0; f->sources && i <= f->config.n_files; i++)
		free(f->sources[i].path);
	free(f->sources);
	free(f->folder);
	free(f);
}

enum result foreign_crl_check_file(const char *path, struct err *err)
{
	CLEANUP(foreign_lists_clear) struct foreign_lists lists = { 0 };

	return foreign_lists_add_file(&lists, path, err);
}

enum result foreign_crl_read_issuers(const struct foreign_crl *f, struct buf *out, struct err *err)
{
	return file_read(f->config.issuers, ISSUERS_MAX, out, err);
}

/* ---- what they hold ---- */

static RESULT load_source(const struct source *s, struct crypto *c, struct span issuers,
			  struct foreign_lists *out, struct err *err)
{
	size_t from = out->n;

	TRY(foreign_lists_add_file(out, s->path, err));
	return err_prefix(err, foreign_lists_find_issuers(out, from, c, issuers, err), "%s",
			  s->path);
}

/* Lists that were fetched are not the administrator's to mend: without one the others count. */
static RESULT load_fetched(const struct source *s, const struct foreign_crl_query *q,
			   struct span issuers, struct foreign_lists *out, struct err *err)
{
	CLEANUP(foreign_lists_clear) struct foreign_lists lists = { 0 };
	struct err why = { 0 };

	if (!file_exists(s->path))
		return OK;
	if (load_source(s, q->c, issuers, &lists, &why) == OK)
		return foreign_lists_move(out, &lists, err);
	log_error(q->log, "a revocation list that was fetched cannot be used",
		  LOG_STR("url", s->url), LOG_ERR(&why));
	return OK;
}

static RESULT load(const struct foreign_crl *f, const struct foreign_crl_query *q,
		   struct foreign_lists *out, struct err *err)
{
	BUF issuers = BUF_INIT;
	size_t i;

	TRY(foreign_crl_read_issuers(f, &issuers, err));
	for (i = 0; i < f->config.n_files; i++) {
		const struct source *s = &f->sources[i];

		TRY(s->url ? load_fetched(s, q, buf_span(&issuers), out, err)
			   : load_source(s, q->c, buf_span(&issuers), out, err));
	}
	return OK;
}

/* ---- when they change ---- */

static void read_stamp(const char *path, struct stamp *out)
{
	struct stat st;

	*out = (struct stamp){ 0 };
	if (stat(path, &st) == 0)
		*out = (struct stamp){ st.st_dev, st.st_ino, st.st_size, st.st_mtim };
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* Keeps the new stamps: a file that is wrong is complained of once. */
static bool have_changed(struct foreign_crl *f)
{
	bool changed = false;
	struct stamp now;
	size_t i;

	for (i = 0; i <= f->config.n_files; i++) {
		read_stamp(f->sources[i].path, &now);
		changed |= !is_same(&now, &f->sources[i].stamp);
		f->sources[i].stamp = now;
	}
	return changed;
}

static void swap(struct foreign_crl *f, struct foreign_lists *fresh)
{
	struct foreign_lists old;

	(void)pthread_rwlock_wrlock(&f->lock);
	old = f->lists;
	f->lists = *fresh;
	(void)pthread_rwlock_unlock(&f->lock);
	*fresh = old;
}

static void load_again(struct foreign_crl *f, const struct foreign_crl_query *q)
{
	CLEANUP(foreign_lists_clear) struct foreign_lists fresh = { 0 };
	struct err err = { 0 };

	if (load(f, q, &fresh, &err) != OK) {
		log_error(q->log, "a revocation list cannot be used; what was read before holds",
			  LOG_ERR(&err));
		return;
	}
	swap(f, &fresh);
	log_info(q->log, "revocation lists of others read", LOG_INT("lists", (int64_t)f->lists.n));
}

/* The first to come looks, and whoever else comes meanwhile waits for it. */
static void look(struct foreign_crl *f, const struct foreign_crl_query *q)
{
	int64_t now = clock_mono_us();

	(void)pthread_mutex_lock(&f->looking);
	if (now >= f->next_look_us) {
		f->next_look_us = now + LOOK_EVERY_US;
		if (have_changed(f))
			load_again(f, q);
	}
	(void)pthread_mutex_unlock(&f->looking);
}

/* ---- asked ---- */

/* By its name, and by the key: a CA may have had two. */
static bool is_of(const struct foreign_list *l, struct crypto *c, const struct cert *cert)
{
	return name_equal(l->crl.issuer, cert->issuer) &&
	       cert_verify_signature(cert, c, buf_span(&l->spki), NULL) == OK;
}

static RESULT ask_list(const struct foreign_crl *f, const struct foreign_list *l, int64_t now,
		       const struct cert *cert, struct err *err)
{
	char text[CLOCK_TEXT_MAX];

	if (foreign_list_has(l, cert->serial))
		return err_set(err, ERR_DENIED,
			       "the client certificate is revoked, says its CA's list");
	if (f->config.take_expired || l->crl.next_update == 0 || now <= l->crl.next_update)
		return OK;
	clock_format(l->crl.next_update, text);
	return err_set(err, ERR_DENIED,
		       "whether the client certificate is revoked is not known: the list of its CA "
		       "ended at %s",
		       text);
}

/* Where there are several of one CA, each must let it pass. */
static RESULT ask_all(const struct foreign_crl *f, const struct foreign_crl_query *q,
		      const struct cert *cert, struct err *err)
{
	bool found = false;
	size_t i;

	for (i = 0; i < f->lists.n; i++) {
		if (!is_of(&f->lists.v[i], q->c, cert))
			continue;
		found = true;
		TRY(ask_list(f, &f->lists.v[i], q->now, cert, err));
	}
	if (found)
		return OK;
	return err_set(
	    err, ERR_NOT_FOUND,
	    "whether the client certificate is revoked is not known: there is no list of "
	    "its CA (client_crl)");
}

enum result foreign_crl_ask(struct foreign_crl *f, const struct foreign_crl_query *q,
			    const struct cert *cert, struct err *err)
{
	enum result r;

	look(f, q);
	(void)pthread_rwlock_rdlock(&f->lock);
	r = ask_all(f, q, cert, err);
	(void)pthread_rwlock_unlock(&f->lock);
	return r;
}
