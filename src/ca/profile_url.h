/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The URLs of a profile as they stand in certificates of one generation of the CA's keys:
 * PROFILE_GENERATION in a URL is its number. Without it the URL of a revocation list leads, from
 * the second generation on, to where ca/crl_publisher.h has that generation's lists: the number
 * stands before the last part of ".../full.crl" and ".../{part}.crl", and behind one that names no
 * file: ".../2/full.crl". The URL of a CA's certificate has it before the last part, if that is a
 * file: ".../2/ca.cer" for ".../ca.cer".
 */
#ifndef CA_PROFILE_URL_H
#define CA_PROFILE_URL_H

#include "base/buf.h"

#define PROFILE_PART "{part}"
#define PROFILE_GENERATION "{generation}"

/* Of a revocation list; part: of one that is in parts. A NUL is put behind it. */
RESULT profile_url_put(const char *url, unsigned generation, unsigned part, struct buf *out,
		       struct err *err);

enum profile_url_kind {
	PROFILE_URL_PLAIN, /* the same for all generations, but for what is filled in */
	PROFILE_URL_LIST,
	PROFILE_URL_ISSUER,
};
/* Does the URL tell the generations apart? One that does not would lead to another's. */
bool profile_url_follows(const char *url, enum profile_url_kind kind);

struct profile_urls {
	struct buf text;   /* owned */
	const char **urls; /* owned; into text, or those of the profile */
};
void profile_urls_clear(struct profile_urls *u);
/* All URLs of a setting. */
RESULT profile_urls_init(struct profile_urls *u, char *const *urls, size_t n, unsigned generation,
			 enum profile_url_kind kind, struct err *err);

#endif
