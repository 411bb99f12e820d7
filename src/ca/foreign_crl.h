/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CAs of others say that they have revoked: lists (RFC 5280 5) in files of the
 * administrator's, which are read again, at most a second later, when they change. A list counts
 * where one of the CAs that a listener trusts has signed it. Thread-safe.
 */
#ifndef CA_FOREIGN_CRL_H
#define CA_FOREIGN_CRL_H

#include "base/log.h"
#include "pki/cert.h"

struct foreign_crl;

struct foreign_crl_config {       /* strings borrowed for the object's life */
	const char *const *files; /* DER, or PEM of one or more lists */
	size_t n_files;
	const char *issuers; /* PEM file of CA certificates */
	bool take_expired;   /* a list after its nextUpdate still tells who is revoked */
};

/* Reads nothing yet. */
RESULT foreign_crl_new(struct foreign_crl **out, const struct foreign_crl_config *config,
		       struct err *err);
void foreign_crl_free(struct foreign_crl *f);
DEFINE_CLEANUP(struct foreign_crl, foreign_crl_free)

/* Would this file do? ERR_CONFIG names it. */
RESULT foreign_crl_check_file(const char *path, struct err *err);

/* Who asks, and when. */
struct foreign_crl_query {
	struct crypto *c; /* the calling thread's */
	const struct log *log;
	int64_t now;
};
/*
 * ERR_DENIED: cert is revoked, or its issuer's list has expired. ERR_NOT_FOUND: there is no list of
 * its issuer's. A file that cannot be used leaves in force what was read before, and is logged.
 */
RESULT foreign_crl_ask(struct foreign_crl *f, const struct foreign_crl_query *q,
		       const struct cert *cert, struct err *err);

#endif
