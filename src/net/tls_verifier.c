/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls_verifier.h"

#include <pthread.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "net/tls_trust.h"

struct tls_verifier {
	pthread_mutex_t lock; /* of the pointer */
	struct tls_trust *trust;
};

enum result tls_verifier_new(struct tls_verifier **out, const char *client_ca, struct err *err)
{
	struct tls_verifier *v = calloc(1, sizeof(*v));
	enum result r;

	if (!v)
		return err_nomem(err);
	(void)pthread_mutex_init(&v->lock, NULL);
	r = tls_trust_new(&v->trust, err);
	if (r == OK && client_ca)
		r = tls_trust_add_file(v->trust, client_ca, err);
	if (r == OK)
		*out = v;
	else
		tls_verifier_free(v);
	return r;
}

void tls_verifier_free(struct tls_verifier *v)
{
	if (!v)
		return;
	tls_trust_free(v->trust);
	(void)pthread_mutex_destroy(&v->lock);
	free(v);
}

static void exchange(struct tls_verifier *v, struct tls_trust *fresh)
{
	struct tls_trust *old;

	(void)pthread_mutex_lock(&v->lock);
	old = v->trust;
	v->trust = fresh;
	(void)pthread_mutex_unlock(&v->lock);
	tls_trust_free(old);
}

enum result tls_verifier_load(struct tls_verifier *v, const char *client_ca, struct err *err)
{
	CLEANUP(tls_trust_freep) struct tls_trust *fresh = NULL;

	TRY(tls_trust_new(&fresh, err));
	TRY(tls_trust_add_file(fresh, client_ca, err));
	exchange(v, take(fresh));
	return OK;
}

enum result tls_verifier_trust(struct tls_verifier *v, const struct span *cas, size_t n,
			       struct err *err)
{
	CLEANUP(tls_trust_freep) struct tls_trust *fresh = NULL;
	size_t i;

	TRY(tls_trust_new(&fresh, err));
	for (i = 0; i < n; i++)
		TRY(tls_trust_add_der(fresh, cas[i], err));
	exchange(v, take(fresh));
	return OK;
}

/* ---- one client ---- */

/* The client's own first, as it is verified. */
static RESULT read_chain(const struct span *certs, size_t n, STACK_OF(X509) * chain,
			 struct err *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const unsigned char *at = certs[i].p;
		X509 *cert = d2i_X509(NULL, &at, (long)certs[i].len);

		if (!cert || at != certs[i].p + certs[i].len) {
			X509_free(cert);
			return err_set(err, ERR_SYNTAX, "number %zu is no certificate", i + 1);
		}
		if (sk_X509_push(chain, cert) <= 0) {
			X509_free(cert);
			return err_nomem(err);
		}
	}
	return OK;
}

static RESULT verify(X509_STORE *store, STACK_OF(X509) * chain, bool *verified, struct err *err)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ready = ctx && X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain) == 1 &&
		     X509_STORE_CTX_set_default(ctx, "ssl_client") == 1;

	if (ready) {
		X509_STORE_CTX_set_depth(ctx, TLS_TRUST_DEPTH);
		*verified = X509_verify_cert(ctx) == 1;
	}
	X509_STORE_CTX_free(ctx);
	return ready ? OK : err_nomem(err);
}

static RESULT check(X509_STORE *store, const struct span *certs, size_t n, bool *verified,
		    struct err *err)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	enum result r = chain ? read_chain(certs, n, chain, err) : err_nomem(err);

	if (r == OK)
		r = verify(store, chain, verified, err);
	sk_X509_pop_free(chain, X509_free);
	ERR_clear_error();
	return r;
}

enum result tls_verifier_check(struct tls_verifier *v, const struct span *certs, size_t n,
			       bool *verified, struct err *err)
{
	X509_STORE *store;
	enum result r;

	(void)pthread_mutex_lock(&v->lock);
	store = tls_trust_store(v->trust);
	(void)pthread_mutex_unlock(&v->lock);
	r = check(store, certs, n, verified, err);
	X509_STORE_free(store);
	return r;
}
