/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifies an export of events line by line, with nothing but the public key of the seals: that no
 * event was changed, left out, added or moved, from the first octet to the last. Not thread-safe.
 */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "audit/sealed.h"

#define AUDIT_LINE_MAX (1u << 20)

struct audit_verify;

struct audit_report {
	int64_t first;
	int64_t last;
	int64_t sealed_at;
	unsigned checkpoints; /* that were held against the events before them */
	unsigned unchecked;   /* of another key, or of events before the export */
};

/* c and spki are borrowed until audit_verify_free(). */
RESULT audit_verify_new(struct audit_verify **out, struct crypto *c, struct span spki,
			struct err *err);
void audit_verify_free(struct audit_verify *v);
DEFINE_CLEANUP(struct audit_verify, audit_verify_free)

/*
 * The next line without its end, first of all the head. ERR_BAD_CHECK names the event that is not
 * as it was, ERR_SYNTAX a line that is none of an export. After either the verdict is final.
 */
RESULT audit_verify_line(struct audit_verify *v, struct span line, struct err *err);
/* There are no more lines. ERR_BAD_CHECK: some are missing. */
RESULT audit_verify_end(struct audit_verify *v, struct audit_report *out, struct err *err);

#endif
