/* SPDX-License-Identifier: Apache-2.0 */
/* PKCSReqs made beforehand, so that a run measures the server and not the making of requests. */
#ifndef BENCH_PREPARE_H
#define BENCH_PREPARE_H

#include "base/buf.h"

struct prepare_config {
	const char *url;
	size_t count;
	unsigned threads;
	const char *key;               /* device keys: "rsa2048", "p256" */
	unsigned keys;                 /* how many a thread makes and uses in turn */
	const struct span *challenges; /* used in turn */
	size_t n_challenges;
	const char *subject_base; /* "CN=base-17" is what request 17 asks for */
};

/* requests: count buffers, owned by the caller, each a pkiMessage. */
RESULT prepare_requests(const struct prepare_config *config, struct buf *requests, struct err *err);

#endif
