/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share behind store.h. */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/fresh.h"
#include "store/pool.h"
#include "store/query.h"
#include "store/store.h"
#include "store/writer.h"

#define STORE_LIMIT_DEFAULT 100

struct store {
	char *path;
	int lock_fd; /* held as long as the store is open */
	struct pool *pool;
	struct writer *writer;
	struct fresh *fresh;
	_Atomic bool importing;       /* a long list of devices is on its way in */
	pthread_mutex_t purging;      /* what broken imports have left is being put away */
	_Atomic uint64_t revocations; /* changes of revocations since it was opened */
};

static inline int64_t store_limit(unsigned limit)
{
	return limit ? limit : STORE_LIMIT_DEFAULT;
}

#endif
