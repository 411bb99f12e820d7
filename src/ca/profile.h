/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate profile: what a certificate holds, and which of it the device may choose. Built from
 * the configuration, immutable, shared by threads.
 */
#ifndef CA_PROFILE_H
#define CA_PROFILE_H

#include <regex.h>

#include "base/buf.h"
#include "ca/profile_url.h"
#include "pki/alg.h"
#include "pki/san.h"

#define PROFILE_ATTRS_MAX 32 /* rules of a kind that a profile may have */
#define PROFILE_SANS_MAX 16
#define PROFILE_EKUS_MAX 32
#define PROFILE_KEYS_MAX 8

/* What happens to a part of the name that the device sent. An empty value counts as not sent. */
enum profile_choice {
	PROFILE_FORBID,   /* sent: refused */
	PROFILE_DROP,     /* sent: left out */
	PROFILE_OPTIONAL, /* sent: taken, if it matches the pattern */
	PROFILE_REQUIRED, /* as optional, and must be sent */
	PROFILE_FIXED,    /* set to `value`, whatever was sent; leads the name if it was not */
};

struct profile_attr {    /* a subject attribute */
	struct buf type; /* OID octets */
	enum profile_choice choice;
	bool has_pattern;
	regex_t pattern; /* POSIX extended, anchored by the builder, on the UTF-8 value */
	char *pattern_text;
	char *value;  /* PROFILE_FIXED */
	unsigned max; /* how many of the type; default 1, OU and DC 8 */
};

struct profile_san { /* a kind of subjectAltName */
	enum san_kind kind;
	enum profile_choice choice; /* not PROFILE_FIXED */
	bool has_pattern;
	regex_t pattern; /* on the text of the value */
	char *pattern_text;
	unsigned max;
};

struct profile_key {
	enum key_kind kind;
	unsigned min_bits; /* RSA */
	unsigned max_bits;
};

enum profile_new_key { PROFILE_KEY_OPTIONAL, PROFILE_KEY_REQUIRED, PROFILE_KEY_FORBIDDEN };

#define PROFILE_ANY_TIME INT64_MAX

/* May a certificate of this profile stand for a challenge when the next one is asked for? */
struct profile_renewal {
	bool allowed;
	int64_t window;  /* seconds before notAfter; PROFILE_ANY_TIME: from the beginning */
	int64_t grace;   /* seconds after notAfter */
	bool same_names; /* subject and subjectAltName as they are */
	enum profile_new_key new_key;
};

struct profile {
	char *name;
	int64_t validity;   /* seconds from notBefore to notAfter; never past the CA's */
	int64_t backdate;   /* default 600 */
	uint32_t key_usage; /* for RSA keys; keyEncipherment is left out for EC and Ed25519 */
	struct buf *ekus;   /* OID octets each */
	size_t n_ekus;
	struct profile_attr *attrs;
	size_t n_attrs;
	enum profile_choice other_attrs; /* what is not listed: FORBID, DROP or OPTIONAL */
	struct profile_san *sans;
	size_t n_sans;
	enum profile_choice other_sans;
	bool san_from_cn; /* no SAN sent and CN looks like a DNS name: add it */
	struct profile_key keys[PROFILE_KEYS_MAX];
	size_t n_keys;
	struct profile_renewal renewal;
	char **cdp; /* URLs; what may be filled in: see ca/profile_url.h */
	size_t n_cdp;
	unsigned crl_parts; /* of the CA's revocation list; 0: the URLs are of the complete one */
	char **ocsp;
	size_t n_ocsp;
	char **ca_issuers;
	size_t n_ca_issuers;
};

void profile_free(struct profile *p);
DEFINE_CLEANUP(struct profile, profile_free)

/* What is asked for. Spans borrowed. */
struct profile_request {
	struct span subject; /* Name DER */
	struct span spki;
	struct span exts; /* content of the Extensions asked for */
	int64_t
	    validity; /* seconds from now asked for: less than the profile's is given; 0: none */
	int64_t now;
};

/* The issuing CA as far as a profile needs it. */
struct profile_issuer {
	struct span subject;
	struct span ski;
	unsigned generation; /* of its keys: see ca/profile_url.h */
	int64_t not_before;
	int64_t not_after;
};

/* What goes into the certificate, owned. */
struct profile_result {
	struct buf subject;
	struct buf exts;
	int64_t not_before;
	int64_t not_after;
};
void profile_result_clear(struct profile_result *r);

/*
 * Applies the profile. ERR_BAD_TEMPLATE (names and extensions), ERR_BAD_ALG (key kind or size),
 * each naming what was sent and what the profile wants. Pure but for crypto's digests.
 */
struct crypto;
RESULT profile_apply(const struct profile *p, struct crypto *c, const struct profile_request *req,
		     const struct profile_issuer *issuer, struct profile_result *out,
		     struct err *err);
/*
 * What hangs on the serial number, to stand behind the extensions of profile_apply: where the part
 * of the revocation list is that the certificate is on. Nothing where there are no parts.
 */
RESULT profile_put_part(const struct profile *p, struct span serial, unsigned generation,
			struct buf *exts, struct err *err);

#endif
