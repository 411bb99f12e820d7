/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module in this process: loaded once, initialised for use by many threads, and
 * initialised anew when a token went away, for not every module sees it come back otherwise. All
 * calls into it stand between enter and leave. Thread-safe.
 */
#ifndef TOKEN_MODULE_H
#define TOKEN_MODULE_H

#define CRYPTOKI_GNU 1
#include <p11-kit/pkcs11.h>

#include "base/secret.h"
#include "token/uri.h"

struct token_module;

/* pin: borrowed; NULL: only what URIs say with pin-source. ERR_CONFIG: no such module. */
RESULT token_module_open(struct token_module **out, const char *path, const struct secret *pin,
			 struct err *err);
void token_module_free(struct token_module *m);
DEFINE_CLEANUP(struct token_module, token_module_free)

const struct ck_function_list *token_module_calls(const struct token_module *m);
/* What was opened in one epoch is gone in the next. Never 0. */
unsigned token_module_enter(struct token_module *m);
void token_module_leave(struct token_module *m);
/* Outside of both: ends the epoch, unless it has ended, or another one did a moment ago. */
void token_module_renew(struct token_module *m, unsigned epoch);

/* CKR_TOKEN_NOT_PRESENT: none that is like it. */
ck_rv_t token_module_find_slot(struct token_module *m, const struct token_uri *uri,
			       ck_slot_id_t *slot);
/*
 * A session in which the user is logged in; write: for making keys. A PIN that a token refuses it
 * is not shown again.
 */
ck_rv_t token_module_open_session(struct token_module *m, const struct token_uri *uri,
				  ck_slot_id_t slot, bool write, ck_session_handle_t *session);

/* Has the token or its session gone, so that a new session is worth a try? */
bool token_module_is_gone(ck_rv_t rv);
/* Might it be that, though it says nothing of the kind? */
bool token_module_is_odd(ck_rv_t rv);
/* ERR_BUSY for a token that cannot be asked, naming it; what: was tried. */
RESULT token_module_fail(const struct token_uri *uri, ck_rv_t rv, const char *what,
			 struct err *err);

#endif
