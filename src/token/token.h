/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private keys that live in hardware: behind a PKCS#11 module ("pkcs11:" URIs) or in a TPM
 * ("tpm:"). What is known of one without asking the hardware, its record, lies where other keys
 * have their file: so an authority whose token is away is known, and answers ERR_BUSY until the
 * token is back. Thread-safe.
 */
#ifndef TOKEN_TOKEN_H
#define TOKEN_TOKEN_H

#include "pki/key_evp.h"

/* All borrowed for the life of the tokens. */
struct token_config {
	const char *pkcs11_module;       /* path; NULL: no PKCS#11 */
	const struct secret *pkcs11_pin; /* of URIs without pin-source; NULL: none */
	const char *tpm_tcti;            /* NULL: no TPM */
};

struct token_record {
	struct buf uri;
	struct buf spki;
	struct buf blob; /* tpm: alone: the key, encrypted by its TPM */
};
void token_record_clear(struct token_record *r);
/* Text form, a line a field. */
RESULT token_record_write(const struct token_record *r, struct buf *out, struct err *err);
RESULT token_record_read(struct span text, struct token_record *out, struct err *err);

/* The URI of its token alone, where another key may be made. */
RESULT token_record_store(const struct token_record *r, struct buf *out, struct err *err);

/* Is it of a kind that lives in hardware? */
bool token_is_uri(const char *text);
/* ERR_USAGE: what is wrong with the URI. */
RESULT token_check_uri(const char *text, struct err *err);

/*
 * So many may be in calls to tokens at the same time, and so many of them to one key: for others it
 * is ERR_BUSY, lest a token that hangs takes all threads with it.
 */
#define TOKENS_WAITING_MAX 32
#define TOKENS_WAITING_ONE 24

struct tokens;
/* ERR_CONFIG: no such module. A token that is missing is no error. */
RESULT tokens_new(struct tokens **out, const struct token_config *config, struct err *err);
void tokens_free(struct tokens *t);
DEFINE_CLEANUP(struct tokens, tokens_free)

/*
 * The key that the URI names, where there is one, else a new one: under the URI's own label and
 * id, or under `label` where it has none. ERR_CONFLICT: it is of another kind than spec.
 */
RESULT tokens_make(struct tokens *t, struct span uri, const char *label, struct key_spec spec,
		   struct token_record *out, struct err *err);

/* One key, for all threads. It need not be there. */
struct token_key;
RESULT tokens_open(struct tokens *t, const struct token_record *record, struct token_key **out,
		   struct err *err);
/* The key that the URI names, which must be there. */
RESULT tokens_open_uri(struct tokens *t, struct span uri, struct token_key **out, struct err *err);
void token_key_free(struct token_key *k);
DEFINE_CLEANUP(struct token_key, token_key_free)
struct span token_key_spki(const struct token_key *k);
/* Is it there, and usable? */
RESULT token_key_check(struct token_key *k, struct err *err);
/* A struct key that uses it; freed before it. */
RESULT token_key_use(struct token_key *k, struct key **out, struct err *err);

#endif
