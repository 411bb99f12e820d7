/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of events: each has the hash of the one before in its own, so that none can be changed,
 * left out or moved without all that follow. docs/audit.md has the encoding.
 */
#ifndef STORE_CHAIN_H
#define STORE_CHAIN_H

#include "pki/crypto.h"
#include "store/db.h"
#include "store/store.h"

/* The end of the chain, as the writer knows it; of the writer's connection alone. */
struct chain;

RESULT chain_new(struct chain **out, struct err *err);
void chain_free(struct chain *c);
DEFINE_CLEANUP(struct chain, chain_free)
/* Of the writer's thread; owned by the chain. */
struct crypto *chain_crypto(const struct chain *c);
/* Something was rolled back: the end is to be read from the file again. */
void chain_forget(struct chain *c);

/* Id and hash that the event gets as the next one. It is not the last before chain_append(). */
RESULT chain_next(struct db *db, const struct store_event *event, int64_t *id,
		  uint8_t hash[STORE_HASH], struct err *err);
/* What chain_next() said is in the file. */
void chain_append(struct chain *c, int64_t id, const uint8_t hash[STORE_HASH]);

/* Gives the events of a file that had no chain yet their hashes; part of a migration. */
RESULT chain_adopt(struct db *db, struct err *err);

#endif
