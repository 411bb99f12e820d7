/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/operator.h"

#include <stdlib.h>

#include "base/base64.h"
#include "base/clock.h"

#define CREDENTIALS_MAX 1024 /* octets of base64 */
#define ADDRESSES 4096       /* of which failures are remembered */

/* The hash of no password, for names that are not there: the guesser shall not learn which are. */
#define NOBODY                                                                                     \
	"$scrypt$ln=15,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

struct operator_list {
	struct operator_account *accounts;
	size_t n;
	struct challenge_static *nobody;
	struct rate_table *failures; /* by address */
};

enum result operator_list_new(struct operator_list **out, struct rate failures, struct err *err)
{
	static const char *const nobody[] = { NOBODY };
	CLEANUP(operator_list_freep) struct operator_list *list = calloc(1, sizeof(*list));

	if (!list)
		return err_nomem(err);
	TRY(challenge_static_new(&list->nobody, nobody, 1, err));
	TRY(rate_table_new(&list->failures, failures, ADDRESSES, err));
	*out = take(list);
	return OK;
}

void operator_list_free(struct operator_list *list)
{
	size_t i;

	if (!list)
		return;
	for (i = 0; i < list->n; i++)
		challenge_static_free(list->accounts[i].password);
	challenge_static_free(list->nobody);
	rate_table_free(list->failures);
	free(list->accounts);
	free(list);
}

enum result operator_list_add(struct operator_list *list, const char *name, const char *hash,
			      unsigned roles, struct err *err)
{
	struct operator_account account = { .name = name, .roles = roles };
	struct operator_account *grown =
	    reallocarray(list->accounts, list->n + 1, sizeof(*list->accounts));

	if (!grown)
		return err_nomem(err);
	list->accounts = grown;
	TRY(challenge_static_new(&account.password, &hash, 1, err));
	list->accounts[list->n++] = account;
	return OK;
}

/* ---- who is it? ---- */

/* "Basic" SP token68 (RFC 7617 2) into "name:password". */
static RESULT read_basic(struct span header, struct buf *out, struct err *err)
{
	size_t space = span_find(header, ' ');
	struct span token = span_sub(header, space + 1, SIZE_MAX);

	if (header.len == 0)
		return err_set(err, ERR_DENIED, "no credentials");
	if (!span_eq_nocase(span_sub(header, 0, space), SPAN_LIT("Basic")))
		return err_set(err, ERR_DENIED, "RFC 7617 2: the scheme is not Basic");
	if (token.len > CREDENTIALS_MAX || base64_parse(token, out, NULL) != OK ||
	    span_find(buf_span(out), ':') == out->len)
		return err_set(err, ERR_DENIED, "RFC 7617 2: not base64 of name:password");
	return OK;
}

static const struct operator_account *find(const struct operator_list *list, struct span name)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (span_eq_str(name, list->accounts[i].name))
			return &list->accounts[i];
	return NULL;
}

unsigned operator_wait(const struct operator_list *list, const struct http_request *req)
{
	return rate_table_look(list->failures, address_key(&req->address), clock_mono_us());
}

bool operator_is_named(const struct http_request *req)
{
	return http_header(req, "Authorization").len > 0;
}

static RESULT authenticate(const struct operator_list *list, struct crypto *c,
			   const struct http_request *req, const struct operator_account **out,
			   struct err *err)
{
	BUF_SECRET credentials = BUF_INIT;
	const struct operator_account *account;
	struct span name, password;
	enum result r;

	TRY(read_basic(http_header(req, "Authorization"), &credentials, err));
	name = span_sub(buf_span(&credentials), 0, span_find(buf_span(&credentials), ':'));
	password = span_sub(buf_span(&credentials), name.len + 1, SIZE_MAX);
	account = find(list, name);
	r = challenge_static_verify(account ? account->password : list->nobody, c, password, err);
	if (r == ERR_DENIED)
		return err_set(err, r, "wrong name or password");
	TRY(r);
	if (!account) /* not even the password that hashes to zeros */
		return err_set(err, ERR_DENIED, "wrong name or password");
	*out = account;
	return OK;
}

enum result operator_authenticate(const struct operator_list *list, struct crypto *c,
				  const struct http_request *req,
				  const struct operator_account **out, struct err *err)
{
	unsigned wait = operator_wait(list, req);
	enum result r;

	if (wait)
		return err_set(err, ERR_LIMIT,
			       "too many failed logins from %s: try again in %u seconds", req->peer,
			       wait);
	r = authenticate(list, c, req, out, err);
	/* who shows nothing is asked first, as browsers do */
	if (r == ERR_DENIED && operator_is_named(req))
		wait = rate_table_take(list->failures, address_key(&req->address), clock_mono_us());
	return r;
}
