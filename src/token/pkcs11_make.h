/* SPDX-License-Identifier: Apache-2.0 */
/* Keys are found or made in a PKCS#11 token: what key_pkcs11.c's struct token_back points to. */
#ifndef TOKEN_PKCS11_MAKE_H
#define TOKEN_PKCS11_MAKE_H

#include "token/back.h"

/* ERR_CONFIG: no module is configured. */
RESULT pkcs11_make_check(const struct tokens *t, struct err *err);
RESULT pkcs11_make_key(struct tokens *t, struct span uri, const char *label, struct key_spec spec,
		       struct token_record *out, struct err *err);
RESULT pkcs11_make_find(struct tokens *t, struct span uri, struct token_record *out,
			struct err *err);

#endif
