/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists (RFC 5280 5) of other CAs, as they publish them: DER, or PEM of one or more,
 * each of all certificates of its CA. An object belongs to one thread at a time.
 */
#ifndef CA_FOREIGN_LIST_H
#define CA_FOREIGN_LIST_H

#include "pki/cert.h"
#include "pki/crl.h"

/* One list, its serial numbers sorted. */
struct foreign_list {
	struct buf der;
	struct buf spki; /* the key that has signed it; empty: that was not looked at */
	struct crl crl;  /* a view of der */
	struct span *serials;
	size_t n;
};

struct foreign_lists {
	struct foreign_list *v;
	size_t n;
};

void foreign_lists_clear(struct foreign_lists *lists);

/* Those in bytes, which may be taken over of. What they are not, or not only: ERR_CONFIG. */
RESULT foreign_lists_add(struct foreign_lists *lists, struct buf *bytes, struct err *err);
/* The same of a file, which errors name. */
RESULT foreign_lists_add_file(struct foreign_lists *lists, const char *path, struct err *err);
/* All of them, to the end of out. */
RESULT foreign_lists_move(struct foreign_lists *out, struct foreign_lists *from, struct err *err);
/* Who has signed those from there on: one of the CAs in that PEM, or ERR_CONFIG. */
RESULT foreign_lists_find_issuers(struct foreign_lists *lists, size_t from, struct crypto *c,
				  struct span issuers, struct err *err);

/* serial: INTEGER content octets. */
bool foreign_list_has(const struct foreign_list *l, struct span serial);

#endif
