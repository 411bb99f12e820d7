/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash-2-4: a short hash under a key, for tables whose keys strangers choose: without the key
 * nobody can make two of them meet.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/span.h"

/* key: 16 octets as two little-endian numbers. */
uint64_t siphash(const uint64_t key[2], struct span bytes);

#endif
