/* SPDX-License-Identifier: Apache-2.0 */
/* CMS and SCEP messages, as a tree. */
#ifndef CLI_SCEPTER_TREE_MESSAGE_H
#define CLI_SCEPTER_TREE_MESSAGE_H

#include "base/secret.h"
#include "cli/scepter/tree.h"
#include "pki/key.h"

/* What may open an envelope. */
struct tree_opener {
	struct key *key;         /* NULL: none */
	struct secret challenge; /* empty: none */
};

/* Whatever the bytes are: members of at. ERR_SYNTAX: none of what is known. */
RESULT tree_put_object(struct tree *t, json_t *at, struct span bytes,
		       const struct tree_opener *opener, struct err *err);

#endif
