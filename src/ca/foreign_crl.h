/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CAs of others say that they have revoked: lists (RFC 5280 5) in files, of the
 * administrator's or as they were fetched, which are read again, at most a second later, when they
 * change. A list counts where one of the CAs that a listener trusts has signed it. Thread-safe, but
 * for what is fetched.
 */
#ifndef CA_FOREIGN_CRL_H
#define CA_FOREIGN_CRL_H

#include "base/log.h"
#include "pki/cert.h"

struct foreign_crl;

struct foreign_crl_config {       /* strings borrowed for the object's life */
	const char *const *files; /* DER, or PEM of one or more lists; or URLs of such */
	size_t n_files;
	const char *data;    /* folder; what is fetched is kept below it, in client-crl/ */
	const char *issuers; /* PEM file of CA certificates */
	bool take_expired;   /* a list after its nextUpdate still tells who is revoked */
};

/* Reads nothing yet. */
RESULT foreign_crl_new(struct foreign_crl **out, const struct foreign_crl_config *config,
		       struct err *err);
void foreign_crl_free(struct foreign_crl *f);
DEFINE_CLEANUP(struct foreign_crl, foreign_crl_free)

/* http://, which is fetched; else it is a path. */
bool foreign_crl_is_url(const char *file);
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

/* ---- what is fetched, by threads that keep each other out of these functions ---- */

#define FOREIGN_CRL_FETCH_MAX ((size_t)64 << 20)

/* How many files and URLs; NULL has none. */
size_t foreign_crl_count(const struct foreign_crl *f);
/* The URL of number i, if it is one, to be fetched now, and nobody does; else NULL. */
const char *foreign_crl_due(const struct foreign_crl *f, size_t i, int64_t now);
/* What a server calls a state of its list (RFC 9110 8.8), by which it tells later whether it has
   changed. Empty: it does not. */
struct foreign_crl_version {
	char etag[256];
	char modified[64];
};
/* The caller fetches it, and says below what has come of it. Returned: what is kept. */
struct foreign_crl_version foreign_crl_begin(struct foreign_crl *f, size_t i);
/*
 * What came from there, kept from now on: signed by one of the issuers and no older than what was
 * kept before, or that goes on to hold. It is due again when half of the time to its nextUpdate is
 * over, in six hours at the latest.
 */
RESULT foreign_crl_keep(struct foreign_crl *f, size_t i, const struct foreign_crl_query *q,
			struct span bytes, const struct foreign_crl_version *version,
			struct err *err);
/* The server has nothing newer than what is kept: due again as if that had come. */
RESULT foreign_crl_unchanged(struct foreign_crl *f, size_t i, const struct foreign_crl_query *q,
			     struct err *err);
/* Nothing came, or nothing that the two above liked: it is due again before long. */
void foreign_crl_missed(struct foreign_crl *f, size_t i, const struct foreign_crl_query *q);

struct foreign_crl_fetched {
	const char *url;     /* borrowed */
	int64_t next_update; /* of what is kept; 0: nothing is, or it does not say */
	unsigned failures;   /* since it was fetched last */
};
/* Of number i, from any thread. False: it is a file. */
bool foreign_crl_fetched(const struct foreign_crl *f, size_t i, struct foreign_crl_fetched *out);

#endif
