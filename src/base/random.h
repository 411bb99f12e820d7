/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "base/err.h"
#include "base/span.h"

/* Fills n bytes from the kernel (getrandom(2)). Thread-safe. */
RESULT random_fill(uint8_t *p, size_t n, struct err *err);

#endif
