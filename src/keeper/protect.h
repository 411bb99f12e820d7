/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of key files under one passphrase: none is left plain, or under an older one. */
#ifndef KEEPER_PROTECT_H
#define KEEPER_PROTECT_H

#include "base/err.h"
#include "base/secret.h"

struct protect_count {
	unsigned sealed; /* encrypted anew: they were plain, or under the old passphrase */
	unsigned kept;   /* were under this one already */
};

/* Is there any encrypted key? What cannot be read is none. */
bool protect_has_sealed(const char *directory);
/*
 * old: may be NULL. Each file is replaced at once or not at all; ERR_DENIED names the first one
 * that neither passphrase opens, before any has been written.
 */
RESULT protect_all(const char *directory, const struct secret *passphrase, const struct secret *old,
		   struct protect_count *out, struct err *err);

#endif
