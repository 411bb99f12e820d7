/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Responses that are signed already: of one certificate each, without nonce. What it may hold is
 * bounded: a response takes the place of whatever was in its slot. A response is given out only
 * while it still says what the store does. Thread-safe.
 */
#ifndef OCSP_CACHE_H
#define OCSP_CACHE_H

#include "ocsp/response.h"

struct ocsp_cache;

/* What a response says, and for how long. */
struct ocsp_said {
	enum ocsp_cert_state state;
	bool unissued; /* `revoked` is said of what was never issued */
	int64_t revoked;
	enum crl_reason reason;
	int64_t this_update;
	int64_t next_update;
	int64_t until; /* when a fresh one is to be made */
};

RESULT ocsp_cache_new(struct ocsp_cache **out, size_t slots, struct err *err);
void ocsp_cache_free(struct ocsp_cache *c);
DEFINE_CLEANUP(struct ocsp_cache, ocsp_cache_free)

/* Appends the response to out; false: there is none for key that says the same as *now_said. Sets
 * the times of *now_said to those of the response. */
bool ocsp_cache_get(struct ocsp_cache *c, struct span key, int64_t now, struct ocsp_said *now_said,
		    struct buf *out);
/* Too little memory: it is not kept. */
void ocsp_cache_put(struct ocsp_cache *c, struct span key, const struct ocsp_said *said,
		    struct span response);

#endif
