/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How private keys are kept: in files, <id>.key (PKCS#8 PEM, plain or encrypted, 0600), or in
 * hardware, of which <id>.token says where (token/token.h). Loading and making are for one thread
 * at a time; a kept key is for all.
 */
#ifndef KEEPER_VAULT_H
#define KEEPER_VAULT_H

#include "token/token.h"

/* All borrowed for the life of the vault. */
struct vault_config {
	const char *directory;
	/* Opens encrypted key files and encrypts those that are made; NULL: they are plain. */
	const struct secret *passphrase;
	/* Where a key is made for which nothing else is said: a URI; NULL: a file. */
	const char *store;
	struct token_config tokens;
};

struct vault;
/* ERR_CONFIG: a module that cannot be loaded. */
RESULT vault_open(struct vault **out, const struct vault_config *config, struct err *err);
void vault_free(struct vault *v);
DEFINE_CLEANUP(struct vault, vault_free)
/* Key files loaded so far that were not encrypted. */
size_t vault_count_plain(const struct vault *v);
/* For what has to be asked of keys that are not in hardware; under the same rule for threads. */
struct crypto *vault_crypto(struct vault *v);

/* One of the two. */
struct kept_key {
	struct key *key;
	struct token_key *token;
	struct token_record record; /* of the token's */
};
void kept_key_clear(struct kept_key *k);
struct span kept_key_spki(const struct kept_key *k);
/* A key of the caller's own, in his crypto; freed before the kept one. */
RESULT kept_key_use(const struct kept_key *k, struct crypto *c, struct key **out, struct err *err);
/* OK for one in a file. ERR_BUSY: its token is away, or refuses. */
RESULT kept_key_check(const struct kept_key *k, struct err *err);
/* Where another of its kind is to be made: to vault_make. */
RESULT kept_key_store(const struct kept_key *k, struct buf *out, struct err *err);

/* Names of files in the directory: does a key lie in it, and of what id? */
bool vault_is_key_file(const char *name, struct span *id);
RESULT vault_load(struct vault *v, const char *name, struct kept_key *out, struct err *err);
/* A TLS server's: a path, or a URI. */
RESULT vault_load_foreign(struct vault *v, const char *place, struct kept_key *out,
			  struct err *err);

/* store: "file", a URI, or empty for the configured one. */
RESULT vault_make(struct vault *v, const char *id, struct span store, struct key_spec spec,
		  struct kept_key *out, struct err *err);
/* Durable when OK. */
RESULT vault_save(const struct vault *v, const char *id, const struct kept_key *k, struct err *err);

#endif
