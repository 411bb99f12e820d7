/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A long computation of a task that shares its thread (base/crew.h): in a thread of its own, so
 * that the others of the crew go on meanwhile.
 */
#ifndef BASE_ASIDE_H
#define BASE_ASIDE_H

#include "base/err.h"

typedef enum result aside_fn(void *arg, struct err *err);

/*
 * What fn returns, when it has. Where there is nobody to share a thread with, or no thread to be
 * had, fn runs in the caller's. It must use nothing that belongs to the caller's thread.
 */
RESULT aside_run(aside_fn *fn, void *arg, struct err *err);

#endif
