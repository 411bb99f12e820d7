/* SPDX-License-Identifier: Apache-2.0 */
/* Who knows names and passwords that the authority did not give out itself: the daemon wires it. */
#ifndef CA_VERIFIER_H
#define CA_VERIFIER_H

#include "base/err.h"
#include "base/span.h"

struct crypto;

struct verifier {
	/*
	 * ERR_DENIED: there is no such name, or the password is not its, which take the same time.
	 * ERR_BUSY: too many checks at once. Thread-safe; c: the calling thread's.
	 */
	RESULT(*verify)
	(const struct verifier *v, struct crypto *c, struct span name, struct span password,
	 struct err *err);
	void *ctx;
};

#endif
