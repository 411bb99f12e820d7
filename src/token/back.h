/* SPDX-License-Identifier: Apache-2.0 */
/* What a kind of hardware implements for token.c. */
#ifndef TOKEN_BACK_H
#define TOKEN_BACK_H

#include <stdatomic.h>

#include "token/token.h"

/* A back end embeds this as its first member. */
struct token_key {
	const struct token_key_ops *ops;
	struct buf spki; /* owned; token.c frees it */
	enum key_kind kind;
	unsigned bits;
	struct tokens *tokens;
	_Atomic unsigned waiting;
};

struct token_key_ops {
	/* tbs: the digest, or for a pure kind the message. ECDSA in DER form. */
	RESULT(*sign)
	(struct token_key *k, struct sig_alg alg, struct span tbs, struct buf *out,
	 struct err *err);
	/* As key_decrypt. */
	RESULT(*decrypt)
	(struct token_key *k, const struct transport_alg *alg, struct span cipher,
	 struct secret *out, struct err *err);
	RESULT (*check)(struct token_key *k, struct err *err);
	void (*free)(struct token_key *k);
};

struct token_back {
	const char *scheme; /* with its colon */
	RESULT (*check_uri)(struct span uri, struct err *err);
	RESULT(*make)
	(struct tokens *t, struct span uri, const char *label, struct key_spec spec,
	 struct token_record *out, struct err *err);
	RESULT(*open)
	(struct tokens *t, const struct token_record *record, struct token_key **out,
	 struct err *err);
	/* the URI without what names the key */
	RESULT (*store)(struct span uri, struct buf *out, struct err *err);
	/* *out->spki and its uri in full, of a key that must be there */
	RESULT(*find)
	(struct tokens *t, struct span uri, struct token_record *out, struct err *err);
};

struct token_module;
struct key_tpm;
struct tokens {
	struct token_module *module;
	struct key_tpm *tpm;
	_Atomic unsigned waiting;
};

extern const struct token_back token_pkcs11;
extern const struct token_back token_tpm;

#endif
