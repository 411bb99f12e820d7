/* SPDX-License-Identifier: Apache-2.0 */
/* Key pairs in a token, seen through one session. Between token_module_enter and leave. */
#ifndef TOKEN_OBJECT_H
#define TOKEN_OBJECT_H

#include "pki/key_evp.h"
#include "token/module.h"

struct token_session {
	const struct ck_function_list *calls;
	ck_session_handle_t handle;
};

/*
 * The private key that the URI's object and id name. CKR_KEY_HANDLE_INVALID: there is none;
 * CKR_TEMPLATE_INCONSISTENT: there are several.
 */
ck_rv_t token_object_find(const struct token_session *s, const struct token_uri *uri,
			  ck_object_handle_t *key);
/* Its label and id into uri, where they are not said; its public part as SubjectPublicKeyInfo. */
ck_rv_t token_object_describe(const struct token_session *s, ck_object_handle_t key,
			      struct token_uri *uri, struct buf *spki);
/* Makes the pair, with the URI's label and id, for good; CKR_MECHANISM_INVALID: no such kind. */
ck_rv_t token_object_make(const struct token_session *s, const struct token_uri *uri,
			  struct key_spec spec);

#endif
