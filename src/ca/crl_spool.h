/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of a revocation list in the making: a nameless file, so that a list of millions takes
 * no more memory than one of ten. One thread at a time.
 */
#ifndef CA_CRL_SPOOL_H
#define CA_CRL_SPOOL_H

#include "pki/crl.h"

struct crl_spool {
	int fd;
	struct buf pending; /* not written yet */
	uint64_t written;
	uint64_t entries;
};
#define CRL_SPOOL_NONE ((struct crl_spool){ .fd = -1 })

/* directory: where there is room for what will be published there anyway. */
RESULT crl_spool_open(struct crl_spool *s, const char *directory, struct err *err);
void crl_spool_close(struct crl_spool *s);
RESULT crl_spool_add(struct crl_spool *s, const struct crl_entry *entry, struct err *err);

/*
 * Frames the entries by t, signs (KEY_FOR_CRL) and writes the CertificateList to path, synced. path
 * is left behind on failure: it is the caller's to remove.
 */
RESULT crl_spool_write(struct crl_spool *s, const struct crl_template *t, struct key *issuer,
		       struct crypto *c, const char *path, struct err *err);

#endif
