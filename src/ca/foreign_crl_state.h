/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to foreign_crl*.c. */
#ifndef CA_FOREIGN_CRL_STATE_H
#define CA_FOREIGN_CRL_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "ca/foreign_crl.h"
#include "ca/foreign_list.h"

#define ISSUERS_MAX (1u << 20)

/* By which a file is known to have changed. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct source {
	char *path;         /* owned; of what is fetched, where it is kept */
	const char *url;    /* NULL: it is the administrator's own file */
	struct stamp stamp; /* under `looking` */
	/* of the threads that fetch */
	int64_t next;                       /* when it is to be fetched */
	bool fetching;                      /* one does */
	struct foreign_crl_version version; /* of what is kept */
	/* of any */
	_Atomic int64_t next_update;
	_Atomic unsigned failures;
};

struct foreign_crl {
	struct foreign_crl_config config;
	char *folder;            /* owned */
	struct source *sources;  /* of files, then of issuers */
	pthread_mutex_t looking; /* of stamps, and of who looks */
	int64_t next_look_us;
	pthread_rwlock_t lock; /* of lists */
	struct foreign_lists lists;
};

RESULT foreign_crl_read_issuers(const struct foreign_crl *f, struct buf *out, struct err *err);

#endif
