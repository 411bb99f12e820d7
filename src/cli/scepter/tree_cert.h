/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, requests and their parts, as a tree. */
#ifndef CLI_SCEPTER_TREE_CERT_H
#define CLI_SCEPTER_TREE_CERT_H

#include "cli/scepter/tree.h"
#include "pki/cert.h"
#include "pki/csr.h"

/* Members of at. */
void tree_put_cert(struct tree *t, json_t *at, const struct cert *cert);
void tree_put_csr(struct tree *t, json_t *at, const struct csr *csr);
/* "RSA 2048 bits", under name. */
void tree_put_key(struct tree *t, json_t *at, const char *name, struct span spki);
/* An AlgorithmIdentifier by its OID's name. */
void tree_put_alg(struct tree *t, json_t *at, const char *name, struct span algorithm_identifier);

#endif
