/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `scepter` shows, built once as a JSON document and printed as that or, for a person, as an
 * indented tree. Members stay in the order in which they were put. A failed allocation is told by
 * tree_show.
 */
#ifndef CLI_SCEPTER_TREE_H
#define CLI_SCEPTER_TREE_H

#include "cli/cli_output.h"
#include "pki/crypto.h"

struct tree {
	struct crypto *c; /* borrowed: for fingerprints and signatures */
	json_t *root;     /* an object */
	bool failed;
};

RESULT tree_init(struct tree *t, struct err *err);
void tree_clear(struct tree *t);

/* A member that is an object or an array; borrowed from the tree, NULL once it has failed. */
json_t *tree_node(struct tree *t, json_t *at, const char *name);
json_t *tree_list(struct tree *t, json_t *at, const char *name);
/* One more object, or text, of an array. */
json_t *tree_append(struct tree *t, json_t *list);
void tree_append_text(struct tree *t, json_t *list, struct span text);

void tree_text(struct tree *t, json_t *at, const char *name, const char *text);
void tree_printf(struct tree *t, json_t *at, const char *name, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Text from outside: what is no UTF-8 is shown in hexadecimal digits. */
void tree_span(struct tree *t, json_t *at, const char *name, struct span text);
void tree_hex(struct tree *t, json_t *at, const char *name, struct span bytes);
void tree_number(struct tree *t, json_t *at, const char *name, int64_t n);
void tree_bool(struct tree *t, json_t *at, const char *name, bool v);
void tree_time(struct tree *t, json_t *at, const char *name, int64_t time);
/* OID by its name, with the dotted form behind it where the name is not known. */
void tree_oid(struct tree *t, json_t *at, const char *name, struct span oid);
/* A distinguished name. */
void tree_name(struct tree *t, json_t *at, const char *name, struct span der);
/* Adopts value. */
void tree_set(struct tree *t, json_t *at, const char *name, json_t *value);

RESULT tree_show(const struct tree *t, const struct cli_output *o, struct err *err);

#endif
