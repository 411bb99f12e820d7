/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seal (keeper/audit_seal.h) with its signature, as JSON: the detail of a checkpoint's event, and
 * the head of an export.
 */
#ifndef AUDIT_SEALED_H
#define AUDIT_SEALED_H

#include <jansson.h>

#include "keeper/audit_seal.h"
#include "pki/pubkey.h"

#define AUDIT_CHECKPOINT "audit.checkpoint" /* an event's kind */

struct audit_sealed {
	struct audit_seal seal;
	uint8_t key[AUDIT_HASH]; /* SHA-256 of the SubjectPublicKeyInfo */
	struct buf signature;
};
void audit_sealed_clear(struct audit_sealed *s);

/* NULL: no memory. */
json_t *audit_sealed_json(const struct audit_sealed *s);
RESULT audit_sealed_parse(const json_t *value, struct audit_sealed *out, struct err *err);
/* ERR_BAD_CHECK: not signed by this key. */
RESULT audit_sealed_check(const struct audit_sealed *s, struct crypto *c, struct pubkey *key,
			  struct err *err);

#endif
