/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of the keeper's directory (keeper/vault.h), each with what it is for beside it in
 * <id>.rule. Keys come and are never taken away while the process runs. Thread-safe.
 */
#ifndef KEEPER_KEYRING_H
#define KEEPER_KEYRING_H

#include "keeper/rule.h"
#include "keeper/vault.h"

struct keyring;

/* One key; immutable, valid as long as the keyring. */
struct keyring_entry;
const struct key_rule *keyring_rule(const struct keyring_entry *e);
bool keyring_entry_is(const struct keyring_entry *e, struct span id);

struct keeper_tls_keys;

/* All borrowed for the life of the keyring. */
struct keyring_config {
	struct vault_config vault; /* beside each key lies its <id>.rule */
	/*
	 * NULL, or the names of the TLS servers' key files, which lie elsewhere: it is asked again
	 * for an id that is unknown, so that a renewed key is found. See keeper/tls_key.h for their
	 * ids.
	 */
	const struct keeper_tls_keys *tls_keys;
};

/* Loads all keys. ERR_CONFIG naming the file that is broken or that others may read. */
RESULT keyring_open(struct keyring **out, const struct keyring_config *config, struct err *err);
void keyring_free(struct keyring *ring);
DEFINE_CLEANUP(struct keyring, keyring_free)
size_t keyring_count(struct keyring *ring);
/* Of the keys loaded from files: how many of them were not encrypted. */
size_t keyring_count_plain(const struct keyring *ring);

/* Tells of each key whose token is away, which may take a while. */
typedef void keyring_away_fn(void *ctx, const char *id, const struct err *why);
void keyring_check(struct keyring *ring, keyring_away_fn *tell, void *ctx);

/* The entry, and a copy of its key in the caller's crypto. ERR_NOT_FOUND. */
RESULT keyring_copy(struct keyring *ring, struct span id, struct crypto *c,
		    const struct keyring_entry **entry, struct key **key, struct err *err);
/*
 * Another generation of a CA's key: e itself is left out. NULL: there is none, or none behind
 * `after` (NULL: from the first).
 */
const struct keyring_entry *keyring_kin(struct keyring *ring, const struct keyring_entry *e,
					const struct keyring_entry *after);
struct span keyring_spki(const struct keyring_entry *e);
/* The key that is this public one's; NULL: it is not kept here. */
const struct keyring_entry *keyring_by_spki(struct keyring *ring, struct span spki);
/*
 * Durable when OK. ERR_CONFLICT: there is one of that id. store_and_rule: a line that says where it
 * is made (keeper/vault.h and wire.h; empty: as configured), then the rule's text.
 */
RESULT keyring_generate(struct keyring *ring, struct span id, struct key_spec spec,
			struct span store_and_rule, struct err *err);
/* The same for the next generation of the CA's key `before`, whose rule and store it gets. */
RESULT keyring_succeed(struct keyring *ring, struct span id, struct key_spec spec,
		       struct span before, struct err *err);

#endif
