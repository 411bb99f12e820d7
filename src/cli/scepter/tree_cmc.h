/* SPDX-License-Identifier: Apache-2.0 */
/* Full PKI Requests and Responses (RFC 5272), as a tree. */
#ifndef CLI_SCEPTER_TREE_CMC_H
#define CLI_SCEPTER_TREE_CMC_H

#include "cli/scepter/tree.h"
#include "pki/cms_signed.h"

/* "CMC Full PKI Request"; NULL: that SignedData holds neither. */
const char *tree_cmc_type(const struct cms_signed *sd);
/* Members of at. The signature of who is named by a key that the request asks for is checked. */
RESULT tree_put_cmc(struct tree *t, json_t *at, const struct cms_signed *sd, struct err *err);

#endif
