/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this what a CA's key tells of its next generation (RFC 8894 4.7.1)? A certificates-only
 * SignedData with the certificate of that key in the CA's name; before it those that it has issued
 * to its registration authority, behind it those of the CAs above; and nothing else. Pure.
 */
#ifndef KEEPER_RULE_NEXT_CA_H
#define KEEPER_RULE_NEXT_CA_H

#include "keeper/rule.h"

/* rule: of the key that is to sign; next_spki: of the other generation. ERR_DENIED. */
RESULT rule_next_ca_check(const struct key_rule *rule, struct crypto *c, struct span next_spki,
			  struct span message, struct err *err);

#endif
