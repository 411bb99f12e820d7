/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile says of the key asked for. Pure. */
#ifndef CA_PROFILE_KEY_H
#define CA_PROFILE_KEY_H

#include "ca/profile.h"
#include "pki/pubkey.h"

/* ERR_BAD_ALG naming the key that was sent and those that the profile takes. */
RESULT profile_key(const struct profile *p, struct span spki, struct pubkey_info *out,
		   struct err *err);
/* keyUsage of the certificate: what the profile grants and a key of that kind can do. */
uint32_t profile_key_usage(const struct profile *p, enum key_kind kind);

#endif
