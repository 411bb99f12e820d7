/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/operator.h"

#include <stdlib.h>

#include "base/clock.h"
#include "net/http_basic.h"

#define ADDRESSES 4096 /* of which failures are remembered */

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

static void operator_account_clear(struct operator_account *account)
{
	challenge_static_free(account->password);
	operator_cert_clear(&account->cert);
}

void operator_list_free(struct operator_list *list)
{
	size_t i;

	if (!list)
		return;
	for (i = 0; i < list->n; i++)
		operator_account_clear(&list->accounts[i]);
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
	if (hash)
		TRY(challenge_static_new(&account.password, &hash, 1, err));
	list->accounts[list->n++] = account;
	return OK;
}

void operator_list_set_cert(struct operator_list *list, struct operator_cert *cert)
{
	struct operator_account *last = &list->accounts[list->n - 1];

	operator_cert_clear(&last->cert);
	last->cert = *cert;
	*cert = (struct operator_cert){ 0 };
}

/* ---- who is it? ---- */

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

static RESULT check_wait(const struct operator_list *list, const struct http_request *req,
			 struct err *err)
{
	unsigned wait = operator_wait(list, req);

	if (!wait)
		return OK;
	return err_set(err, ERR_TOO_MANY, "too many failed logins from %s: try again in %u seconds",
		       req->peer, wait);
}

void operator_blame(const struct operator_list *list, const struct http_request *req)
{
	(void)!rate_table_take(list->failures, address_key(&req->address), clock_mono_us());
}

static RESULT check(const struct operator_list *list, struct crypto *c, struct span name,
		    const struct challenge_shown *shown, const struct operator_account **out,
		    struct err *err)
{
	const struct operator_account *account = find(list, name);
	enum result r;

	if (account && !account->password)
		account = NULL;
	r = challenge_static_verify(account ? account->password : list->nobody, c, shown, err);
	if (r == ERR_DENIED)
		return err_set(err, r, "wrong name or password");
	TRY(r);
	if (!account) /* not even the password that hashes to zeros */
		return err_set(err, ERR_DENIED, "wrong name or password");
	*out = account;
	return OK;
}

enum result operator_check(const struct operator_list *list, struct crypto *c,
			   const struct http_request *req, const struct operator_shown *shown,
			   const struct operator_account **out, struct err *err)
{
	const struct challenge_shown secret = { shown->password, address_key(&req->address) };
	enum result r;

	TRY(check_wait(list, req, err));
	r = check(list, c, shown->name, &secret, out, err);
	if (r == ERR_DENIED)
		operator_blame(list, req);
	return r;
}

enum result operator_authenticate(const struct operator_list *list, struct crypto *c,
				  const struct http_request *req,
				  const struct operator_account **out, struct err *err)
{
	BUF_SECRET credentials = BUF_INIT;
	struct operator_shown shown;
	enum result r;

	TRY(check_wait(list, req, err));
	r = http_basic_parse(http_header(req, "Authorization"), &credentials, &shown.name,
			     &shown.password, err);
	if (r == OK)
		return operator_check(list, c, req, &shown, out, err);
	/* who shows nothing is asked first, as browsers do */
	if (r == ERR_DENIED && operator_is_named(req))
		operator_blame(list, req);
	return r;
}

enum result operator_recognise(const struct operator_list *list, struct crypto *c, int64_t now,
			       const struct http_request *req, struct cert *leaf,
			       const struct operator_account **out, struct err *err)
{
	struct operator_cert_seen seen = { .verified = req->client_verified };
	size_t i;

	if (req->n_client_certs == 0)
		return err_set(err, ERR_NOT_FOUND, "no client certificate");
	TRY(operator_cert_look(&seen, c, req->client_certs[0], err));
	for (i = 0; i < list->n; i++)
		if (operator_cert_is(&list->accounts[i].cert, &seen))
			break;
	if (i == list->n)
		return err_set(err, ERR_NOT_FOUND, "the client certificate is no operator's");
	TRY(operator_cert_check(&list->accounts[i].cert, &seen, now, err));
	*leaf = seen.cert;
	*out = &list->accounts[i];
	return OK;
}
