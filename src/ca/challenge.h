/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Challenge passwords. One-time: 128 random bits as 26 letters of base32, stored hashed; or in the
 * form of NDES, 16 or 32 hexadecimal digits, for what reads its page. Of these the short one has 64
 * bits: whoever makes it lets it end within hours and bounds how many there are. Static:
 * scrypt hash in the configuration; a positive check is cached under a keyed hash with a key of
 * this process, so that it costs scrypt once and no load after; wrong guesses cost the guesser the
 * scrypt, bounded to a few at once.
 */
#ifndef CA_CHALLENGE_H
#define CA_CHALLENGE_H

#include "pki/crypto.h"
#include "store/store.h"

#define CHALLENGE_LETTERS 26 /* of a one-time challenge: 128 bits at 5 bits a letter */

/* "$scrypt$ln=15,r=8,p=1$<salt base64>$<hash base64>" */
RESULT challenge_hash_static(struct crypto *c, const struct secret *challenge, struct buf *text,
			     struct err *err);
RESULT challenge_check_format(const char *text, struct err *err);

struct challenge_static; /* hashes of one endpoint with the cache; thread-safe */

RESULT challenge_static_new(struct challenge_static **out, const char *const *hashes, size_t n,
			    struct err *err);
void challenge_static_free(struct challenge_static *s);
DEFINE_CLEANUP(struct challenge_static, challenge_static_free)
struct challenge_shown {
	struct span challenge;
	struct span source; /* what one host can hardly change of its address; empty: unknown */
};
/*
 * OK: one of them. ERR_DENIED: none. ERR_BUSY: too many different ones are looked at for the first
 * time, or too many of this source; one that many show at once is checked once, and they wait.
 */
RESULT challenge_static_verify(struct challenge_static *s, struct crypto *c,
			       const struct challenge_shown *shown, struct err *err);

/* The same. name: tells it from the others, and nothing about it. */
RESULT challenge_static_verify_as(struct challenge_static *s, struct crypto *c,
				  const struct challenge_shown *shown, uint8_t name[STORE_HASH],
				  struct err *err);

enum challenge_form { CHALLENGE_BASE32, CHALLENGE_HEX_64, CHALLENGE_HEX_128 };

struct challenge_new {
	enum challenge_form form;
	const char *endpoint;    /* NULL: any */
	int64_t lifetime;        /* seconds */
	const char *subject;     /* text of the only subject allowed; NULL: any */
	const char *const *sans; /* "DNS:.." of the only SANs allowed */
	size_t n_sans;
	const char *actor;
	const char *source; /* the page that gives it out; NULL: none */
	unsigned most;      /* unused ones of that source at a time; 0: no bound */
	bool reusable;      /* by any number of devices, until it expires or is revoked */
};
/*
 * Makes and stores a one-time challenge: its text into out (shown once), its handle into id.
 * ERR_LIMIT: n->most of them are unused.
 */
RESULT challenge_create(struct store *store, struct crypto *c, const struct clock *clock,
			const struct challenge_new *n, struct secret *out, char id[STORE_NAME_MAX],
			struct err *err);
/*
 * SHA-256 of its normal form: upper case, without blanks and hyphens. ERR_SYNTAX if that has none
 * of the forms, letters of base32 (RFC 4648 6) or digits: then it never was a one-time challenge.
 */
RESULT challenge_hash_one_time(struct crypto *c, struct span challenge, uint8_t out[STORE_HASH],
			       struct err *err);

#endif
