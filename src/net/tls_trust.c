/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls_trust.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509.h>

struct tls_trust {
	X509_STORE *store;
	STACK_OF(X509_NAME) * names; /* told to clients, so that they find the right certificate */
};

void tls_trust_free(struct tls_trust *t)
{
	if (!t)
		return;
	X509_STORE_free(t->store);
	sk_X509_NAME_pop_free(t->names, X509_NAME_free);
	free(t);
}

enum result tls_trust_new(struct tls_trust **out, struct err *err)
{
	struct tls_trust *t = calloc(1, sizeof(*t));

	if (!t)
		return err_nomem(err);
	t->store = X509_STORE_new();
	t->names = sk_X509_NAME_new_null();
	/* a CA that was named is trusted, whether it is a root or not */
	if (!t->store || !t->names ||
	    X509_STORE_set_flags(t->store, X509_V_FLAG_PARTIAL_CHAIN) != 1) {
		tls_trust_free(t);
		return err_nomem(err);
	}
	*out = t;
	return OK;
}

static RESULT add(struct tls_trust *t, X509 *ca, struct err *err)
{
	X509_NAME *name = X509_NAME_dup(X509_get_subject_name(ca));

	if (!name || sk_X509_NAME_push(t->names, name) <= 0) {
		X509_NAME_free(name);
		return err_nomem(err);
	}
	return X509_STORE_add_cert(t->store, ca) == 1 ? OK : err_nomem(err);
}

static RESULT add_all(struct tls_trust *t, BIO *in, const char *path, struct err *err)
{
	enum result r = OK;
	X509 *ca = NULL;
	size_t n = 0;

	for (; r == OK && (ca = PEM_read_bio_X509(in, NULL, NULL, NULL)); n++) {
		r = add(t, ca, err);
		X509_free(ca);
	}
	if (r == OK && (n == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE))
		r = err_set(err, ERR_CONFIG, "client CA %s: not a file of PEM certificates", path);
	ERR_clear_error();
	return r;
}

enum result tls_trust_add_file(struct tls_trust *t, const char *path, struct err *err)
{
	enum result r;
	BIO *in;

	if (access(path, R_OK) != 0)
		return err_errno(err, errno, "cannot read the client CA %s", path);
	in = BIO_new_file(path, "r");
	if (!in)
		return err_nomem(err);
	r = add_all(t, in, path, err);
	BIO_free(in);
	return r;
}

enum result tls_trust_add_der(struct tls_trust *t, struct span der, struct err *err)
{
	const unsigned char *at = der.p;
	X509 *ca = d2i_X509(NULL, &at, (long)der.len);
	enum result r =
	    ca ? add(t, ca, err) : err_set(err, ERR_SYNTAX, "client CA: not a certificate");

	X509_free(ca);
	ERR_clear_error();
	return r;
}

X509_STORE *tls_trust_store(const struct tls_trust *t)
{
	(void)X509_STORE_up_ref(t->store);
	return t->store;
}

bool tls_trust_apply(const struct tls_trust *t, bool tell, SSL *ssl)
{
	STACK_OF(X509_NAME) *names = tell ? SSL_dup_CA_list(t->names) : NULL;

	if (tell && !names)
		return false;
	if (tell)
		SSL_set_client_CA_list(ssl, names);
	return SSL_set1_verify_cert_store(ssl, t->store) == 1;
}
