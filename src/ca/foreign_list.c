/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/foreign_list.h"

#include <stdlib.h>

#include "base/file.h"
#include "pki/name.h"
#include "pki/pem.h"

#define FILE_MAX (256u << 20)
#define LISTS_MAX 1024

static void foreign_list_clear(struct foreign_list *l)
{
	buf_clear(&l->der);
	buf_clear(&l->spki);
	free(l->serials);
	*l = (struct foreign_list){ 0 };
}

void foreign_lists_clear(struct foreign_lists *lists)
{
	size_t i;

	for (i = 0; i < lists->n; i++)
		foreign_list_clear(&lists->v[i]);
	free(lists->v);
	*lists = (struct foreign_lists){ 0 };
}

static int compare(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->p, y->p, x->len);
}

static RESULT read_serials(struct foreign_list *l, struct err *err)
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

static RESULT parse_list(struct foreign_list *l, struct err *err)
{
	TRY(crl_parse(buf_span(&l->der), &l->crl, err));
	TRY(check_scope(&l->crl, err));
	return read_serials(l, err);
}

static RESULT add(struct foreign_lists *lists, struct foreign_list *l, struct err *err)
{
	struct foreign_list *grown;

	if (lists->n == LISTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d lists", LISTS_MAX);
	grown = reallocarray(lists->v, lists->n + 1, sizeof(*lists->v));
	if (!grown)
		return err_nomem(err);
	lists->v = grown;
	lists->v[lists->n++] = *l;
	*l = (struct foreign_list){ 0 };
	return OK;
}

enum result foreign_lists_move(struct foreign_lists *out, struct foreign_lists *from,
			       struct err *err)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		TRY(add(out, &from->v[i], err));
	return OK;
}

/* One list, which der is taken over of. */
static RESULT add_der(struct foreign_lists *lists, struct buf *der, struct err *err)
{
	CLEANUP(foreign_list_clear) struct foreign_list l = { .der = buf_take(der) };

	TRY(parse_list(&l, err));
	return add(lists, &l, err);
}

static RESULT add_pem(struct foreign_lists *lists, struct span text, struct err *err)
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

enum result foreign_lists_add(struct foreign_lists *lists, struct buf *bytes, struct err *err)
{
	if (bytes->len && bytes->data[0] == DER_SEQUENCE)
		return add_der(lists, bytes, err);
	return add_pem(lists, buf_span(bytes), err);
}

enum result foreign_lists_add_file(struct foreign_lists *lists, const char *path, struct err *err)
{
	BUF bytes = BUF_INIT;
	enum result r;

	TRY(file_read(path, FILE_MAX, &bytes, err));
	r = foreign_lists_add(lists, &bytes, err);
	if (r == OK || r == ERR_NOMEM)
		return r;
	return err_prefix(err, ERR_CONFIG, "%s", path);
}

bool foreign_list_has(const struct foreign_list *l, struct span serial)
{
	return bsearch(&serial, l->serials, l->n, sizeof(*l->serials), compare) != NULL;
}

/* ---- who has signed it ---- */

/* *found: this CA has. */
static RESULT try_issuer(struct foreign_list *l, struct crypto *c, struct span der, bool *found,
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

static RESULT find_issuer(struct foreign_list *l, struct crypto *c, struct span issuers,
			  struct err *err)
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

enum result foreign_lists_find_issuers(struct foreign_lists *lists, size_t from, struct crypto *c,
				       struct span issuers, struct err *err)
{
	for (; from < lists->n; from++)
		TRY(find_issuer(&lists->v[from], c, issuers, err));
	return OK;
}
