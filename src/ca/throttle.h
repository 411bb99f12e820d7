/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much one challenge, or one identity, may ask for at an endpoint: rates of requests, counted
 * in memory, and quotas of certificates, counted in the store. An identity is the subject of the
 * certificate, or its alternative names where it has none. Thread-safe.
 */
#ifndef CA_THROTTLE_H
#define CA_THROTTLE_H

#include "base/rate.h"

enum throttle_whose { THROTTLE_CHALLENGE, THROTTLE_IDENTITY, THROTTLE_COUNT_ };

struct throttle_config {
	struct rate requests[THROTTLE_COUNT_];
	struct rate certificates[THROTTLE_COUNT_];
};

struct throttle;

RESULT throttle_new(struct throttle **out, const struct throttle_config *config, struct err *err);
void throttle_free(struct throttle *l);
DEFINE_CLEANUP(struct throttle, throttle_free)
const struct throttle_config *throttle_config(const struct throttle *l);

/* Another request. 0: it is within the rate; else the seconds until it would be. */
MUST_USE unsigned throttle_take(struct throttle *l, enum throttle_whose whose, struct span key,
				int64_t now_us);

#endif
