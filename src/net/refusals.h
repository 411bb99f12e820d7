/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which refusals are for the record: of an address that goes on only one in ten minutes is, of all
 * addresses together sixty, so that nobody fills the record from outside. Thread-safe.
 */
#ifndef NET_REFUSALS_H
#define NET_REFUSALS_H

#include "net/address.h"

struct refusals;

RESULT refusals_new(struct refusals **out, struct err *err);
void refusals_free(struct refusals *r);
DEFINE_CLEANUP(struct refusals, refusals_free)
/* now_us: clock_mono_us() */
MUST_USE bool refusals_tell(struct refusals *r, const struct address *address, int64_t now_us);

#endif
