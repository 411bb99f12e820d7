/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Challenges that were made a short while ago and that nobody has shown yet, in memory. As a rule a
 * challenge is shown once: it is taken out then, and needs no read of the file, which costs as much
 * as a tenth of the commit that uses it up. One that is not found here is looked for in the file.
 *
 * What is found here is no word on whether it may be used: the commit decides that. Thread-safe.
 */
#ifndef STORE_FRESH_H
#define STORE_FRESH_H

#include "store/store.h"

struct fresh;

RESULT fresh_new(struct fresh **out, struct err *err);
void fresh_free(struct fresh *f);

/* Once it is durable. It may take the place of an older one, or not be kept. */
void fresh_put(struct fresh *f, const struct store_challenge *c);
/* False: it is not here. */
bool fresh_take(struct fresh *f, const uint8_t hash[STORE_HASH], struct store_challenge *out);
/* Some were revoked: from now on all are looked for in the file. */
void fresh_forget(struct fresh *f);

#endif
