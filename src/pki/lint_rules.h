/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of lint share; for src/pki only. Every rule gives ERR_BAD_TEMPLATE. */
#ifndef PKI_LINT_RULES_H
#define PKI_LINT_RULES_H

#include "pki/cert.h"

/* A TBSCertificate and what its extensions say, read once. */
struct lint {
	struct cert cert;
	enum key_kind key;  /* of the subject */
	uint32_t key_usage; /* 0: none */
	bool ca;
	int path_len; /* -1: none */
};

/* The forms of names within a Name: lengths and alphabets (RFC 5280 appendix A.1). */
RESULT lint_name(struct span name, const char *what, struct err *err);
/* subjectAltName, value as for san_check (RFC 5280 4.2.1.6). */
RESULT lint_san(struct span value, struct err *err);
/* An absolute URI (RFC 5280 4.2.1.6). */
RESULT lint_uri(struct span uri, struct err *err);

/* Fills what *l says of extensions; duplicates and malformed ones fail here. */
RESULT lint_ext_facts(struct lint *l, struct err *err);
/* Each extension by itself, then those that depend on each other. */
RESULT lint_exts(const struct lint *l, struct err *err);

#endif
