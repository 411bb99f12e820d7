/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/foreign_crl.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "pki/crl.h"
#include "pki/name.h"
#include "pki/pem.h"

#define FILE_MAX (256u << 20)
#define ISSUERS_MAX (1u << 20)
#define LOOK_EVERY_US 1000000
#define LISTS_MAX 1024

/* One list, by a CA that is trusted, its serial numbers sorted. */
struct list {
	struct buf der;
	struct buf spki; /* the key that has signed it */
	struct crl crl;  /* a view of der */
	struct span *serials;
	size_t n;
};

struct lists {
	struct list *v;
	size_t n;
};

/* By which a file is known to have changed. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct foreign_crl {
	struct foreign_crl_config config;
	struct stamp *stamps;    /* of files, then of issuers */
	pthread_mutex_t looking; /* of stamps, and of who looks */
	int64_t next_look_us;
	pthread_rwlock_t lock; /* of lists */
	struct lists lists;
};

static void list_clear(struct list *l)
{
	buf_clear(&l->der);
	buf_clear(&l->spki);
	free(l->serials);
	*l = (struct list){ 0 };
}

static void lists_clear(struct lists *lists)
{
	size_t i;

	for (i = 0; i < lists->n; i++)
		list_clear(&lists->v[i]);
	free(lists->v);
	*lists = (struct lists){ 0 };
}

enum result foreign_crl_new(struct foreign_crl **out, const struct foreign_crl_config *config,
			    struct err *err)
{
	struct foreign_crl *f = calloc(1, sizeof(*f));

	if (f)
		f->stamps = calloc(config->n_files + 1, sizeof(*f->stamps));
	if (!f || !f->stamps) {
		free(f);
		return err_nomem(err);
	}
	f->config = *config;
	(void)pthread_mutex_init(&f->looking, NULL);
	(void)pthread_rwlock_init(&f->lock, NULL);
	*out = f;
	return OK;
}

void foreign_crl_free(struct foreign_crl *f)
{
	if (!f)
		return;
	lists_clear(&f->lists);
	(void)pthread_rwlock_destroy(&f->lock);
	(void)pthread_mutex_destroy(&f->looking);
	free(f->stamps);
	free(f);
}

/* ---- a list ---- */

static int compare(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->p, y->p, x->len);
}

static RESULT read_serials(struct list *l, struct err *err)
{
	struct crl_entry entry;
	struct der_reader r;
	bool more = true;
	size_t n = 0;

	TRY(crl_count(&l->crl, &n, err));
	l->serials = calloc(n + 1, sizeof(*l->serials));
	if (!l->serials)
		return err_nomem(err);
	der_reader_init(&r, l->crl.entries);
	while (l->n < n) {
		TRY(crl_next(&r, &entry, &more, err));
		if (!more)
			break;
		l->serials[l->n++] = entry.serial;
	}
	qsort(l->serials, l->n, sizeof(*l->serials), compare);
	return OK;
}

/* One that does not speak of all certificates could leave out the one that is asked for. */
static RESULT check_scope(const struct crl *crl, struct err *err)
{
	struct crl_scope scope = { .has_number = false };

	TRY(crl_read_scope(crl, &scope, err));
	if (!scope.is_delta && !scope.indirect && !scope.only_attribute && !scope.only_ca &&
	    scope.point.len == 0)
		return OK;
	return err_set(err, ERR_CONFIG,
		       "a list of part of a CA's certificates only (RFC 5280 5.2.4, 5.2.5); the "
		       "complete one is needed");
}

static RESULT parse_list(struct list *l, struct err *err)
{
	TRY(crl_parse(buf_span(&l->der), &l->crl, err));
	TRY(check_scope(&l->crl, err));
	return read_serials(l, err);
}

static RESULT add(struct lists *lists, struct list *l, struct err *err)
{
	struct list *grown;

	if (lists->n == LISTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d lists", LISTS_MAX);
	grown = reallocarray(lists->v, lists->n + 1, sizeof(*lists->v));
	if (!grown)
		return err_nomem(err);
	lists->v = grown;
	lists->v[lists->n++] = *l;
	*l = (struct list){ 0 };
	return OK;
}

/* One list, which der is taken over of. */
static RESULT add_der(struct lists *lists, struct buf *der, struct err *err)
{
	CLEANUP(list_clear) struct list l = { .der = buf_take(der) };

	TRY(parse_list(&l, err));
	return add(lists, &l, err);
}

static RESULT add_pem(struct lists *lists, struct span text, struct err *err)
{
	enum result r = OK;
	size_t before = lists->n;

	while (r == OK) {
		BUF der = BUF_INIT;

		r = pem_next(&text, "X509 CRL", &der, err);
		if (r == OK)
			r = add_der(lists, &der, err);
	}
	if (r != ERR_NOT_FOUND)
		return r;
	if (lists->n > before) {
		err_clear(err);
		return OK;
	}
	return err_set(err, ERR_CONFIG, "neither DER nor PEM of a revocation list");
}

static RESULT add_file(struct lists *lists, const char *path, struct err *err)
{
	BUF bytes = BUF_INIT;
	enum result r;

	TRY(file_read(path, FILE_MAX, &bytes, err));
	if (bytes.len && bytes.data[0] == DER_SEQUENCE)
		r = add_der(lists, &bytes, err);
	else
		r = add_pem(lists, buf_span(&bytes), err);
	if (r == OK || r == ERR_NOMEM)
		return r;
	return err_prefix(err, ERR_CONFIG, "%s", path);
}

enum result foreign_crl_check_file(const char *path, struct err *err)
{
	CLEANUP(lists_clear) struct lists lists = { 0 };

	return add_file(&lists, path, err);
}

/* ---- who has signed it ---- */

/* *found: this CA has. */
static RESULT try_issuer(struct list *l, struct crypto *c, struct span der, bool *found,
			 struct err *err)
{
	struct cert ca;

	*found = cert_parse(der, &ca, NULL) == OK && name_equal(ca.subject, l->crl.issuer) &&
		 crl_verify_signature(&l->crl, c, ca.spki, NULL) == OK;
	if (!*found)
		return OK;
	buf_put(&l->spki, ca.spki);
	return buf_check(&l->spki, err);
}

static RESULT find_issuer(struct list *l, struct crypto *c, struct span issuers, struct err *err)
{
	bool found = false;
	enum result r;

	while (!found) {
		BUF der = BUF_INIT;

		r = pem_next(&issuers, "CERTIFICATE", &der, err);
		if (r == ERR_NOT_FOUND)
			return err_set(err, ERR_CONFIG,
				       "a revocation list that none of the client_ca has signed");
		TRY(r);
		TRY(try_issuer(l, c, buf_span(&der), &found, err));
	}
	return OK;
}

static RESULT load(const struct foreign_crl *f, struct crypto *c, struct lists *out,
		   struct err *err)
{
	BUF issuers = BUF_INIT;
	size_t i;

	TRY(file_read(f->config.issuers, ISSUERS_MAX, &issuers, err));
	for (i = 0; i < f->config.n_files; i++) {
		size_t from = out->n;

		TRY(add_file(out, f->config.files[i], err));
		for (; from < out->n; from++)
			TRY(err_prefix(err, find_issuer(&out->v[from], c, buf_span(&issuers), err),
				       "%s", f->config.files[i]));
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
		read_stamp(i < f->config.n_files ? f->config.files[i] : f->config.issuers, &now);
		changed |= !is_same(&now, &f->stamps[i]);
		f->stamps[i] = now;
	}
	return changed;
}

static void swap(struct foreign_crl *f, struct lists *fresh)
{
	struct lists old;

	(void)pthread_rwlock_wrlock(&f->lock);
	old = f->lists;
	f->lists = *fresh;
	(void)pthread_rwlock_unlock(&f->lock);
	*fresh = old;
}

static void load_again(struct foreign_crl *f, const struct foreign_crl_query *q)
{
	CLEANUP(lists_clear) struct lists fresh = { 0 };
	struct err err = { 0 };

	if (load(f, q->c, &fresh, &err) != OK) {
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
static bool is_of(const struct list *l, struct crypto *c, const struct cert *cert)
{
	return name_equal(l->crl.issuer, cert->issuer) &&
	       cert_verify_signature(cert, c, buf_span(&l->spki), NULL) == OK;
}

static RESULT ask_list(const struct foreign_crl *f, const struct list *l, int64_t now,
		       const struct cert *cert, struct err *err)
{
	char text[CLOCK_TEXT_MAX];

	if (bsearch(&cert->serial, l->serials, l->n, sizeof(*l->serials), compare))
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
