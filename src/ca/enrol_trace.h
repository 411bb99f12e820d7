/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a decision, in order: kept with its event and shown by `scepterctl explain`. */
#ifndef CA_ENROL_TRACE_H
#define CA_ENROL_TRACE_H

#include "base/buf.h"

#define ENROL_STEPS_MAX 24

struct enrol_trace {
	struct {
		const char *step; /* static: "signature", "decryption", "challenge", "profile"... */
		bool ok;
		char text[160];
	} steps[ENROL_STEPS_MAX];
	size_t n;
};

/* t may be NULL; steps beyond ENROL_STEPS_MAX are dropped. Never a secret in the text. */
void enrol_trace_add(struct enrol_trace *t, const char *step, bool ok, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* The step that failed, unless one that did stands there already. */
void enrol_trace_fail(struct enrol_trace *t, const char *step, const char *text);
/* [{"step":"challenge","ok":true,"text":"..."},...] */
void enrol_trace_put_json(const struct enrol_trace *t, struct buf *out);

#endif
