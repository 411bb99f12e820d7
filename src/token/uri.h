/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 URI (RFC 7512), as far as it finds a private key: path attributes token, manufacturer,
 * serial, model, slot-id, object, id and type (private alone); query attribute pin-source with a
 * file. One that holds the PIN itself is refused. Pure.
 */
#ifndef TOKEN_URI_H
#define TOKEN_URI_H

#include "base/buf.h"
#include "base/err.h"

#define TOKEN_URI_MAX 1024

struct token_uri {
	/* of the token, as it names itself; empty: any */
	struct buf token;
	struct buf manufacturer;
	struct buf serial;
	struct buf model;
	bool has_slot;
	unsigned long slot;
	/* of the key; empty: not said */
	struct buf object;   /* label */
	struct buf id;       /* octets */
	struct buf pin_file; /* path; empty: the configured PIN */
};

void token_uri_clear(struct token_uri *u);
/* ERR_USAGE naming the attribute. */
RESULT token_uri_parse(struct span text, struct token_uri *out, struct err *err);
/* "pkcs11:..." with all that is said. */
RESULT token_uri_write(const struct token_uri *u, struct buf *out, struct err *err);

#endif
