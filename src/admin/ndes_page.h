/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of Microsoft's NDES, as far as programs read them: those look for the sentences with
 * regular expressions, so that each space, tag and capital counts. See docs/configuration.md.
 */
#ifndef ADMIN_NDES_PAGE_H
#define ADMIN_NDES_PAGE_H

#include "base/buf.h"

/* UTF-16: little-endian behind a byte order mark, as NDES sends it; UTF-8: without a mark. */
enum ndes_encoding { NDES_UTF16, NDES_UTF8 };

#define NDES_THUMBPRINT 16 /* octets */

struct ndes_password {
	struct span thumbprint; /* NDES_THUMBPRINT octets */
	struct span password;   /* ASCII */
	int64_t minutes;        /* 0: it can be used many times, for ever */
};

/* Each appends a page. What can fail is memory: buf_check(). */
void ndes_page_password(struct buf *out, enum ndes_encoding encoding,
			const struct ndes_password *shown);
void ndes_page_full(struct buf *out, enum ndes_encoding encoding, int64_t minutes);
void ndes_page_no_permission(struct buf *out, enum ndes_encoding encoding);

#endif
