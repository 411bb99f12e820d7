/* SPDX-License-Identifier: Apache-2.0 */
/*
 * People and programs with an account in the configuration, who show their password by HTTP Basic
 * (RFC 7617) or a client certificate (operator_cert.h). Passwords are scrypt hashes in the form of
 * static challenges, and are checked with the same cache and bound. Filled once, then immutable but
 * for that cache: thread-safe.
 */
#ifndef ADMIN_OPERATOR_H
#define ADMIN_OPERATOR_H

#include "admin/operator_cert.h"
#include "base/rate.h"
#include "ca/challenge.h"
#include "net/http.h"

/* Bits of a set. */
enum operator_role {
	OPERATOR_CHALLENGE_ISSUER = 1,
	OPERATOR_DEVICE = 2,
	OPERATOR_ADMINISTRATOR = 4,
	OPERATOR_APPROVER = 8,
	OPERATOR_AUDITOR = 16,
};

struct operator_account {
	const char *name; /* borrowed */
	unsigned roles;
	struct challenge_static *password; /* owned; NULL: has none */
	struct operator_cert cert;
};

struct operator_list;

/* failures: how often an address may be wrong before it has to wait. */
RESULT operator_list_new(struct operator_list **out, struct rate failures, struct err *err);
void operator_list_free(struct operator_list *list);
DEFINE_CLEANUP(struct operator_list, operator_list_free)
/*
 * name is borrowed for as long as the list lives. hash: NULL if the account has no password.
 * ERR_CONFIG: the hash is none.
 */
RESULT operator_list_add(struct operator_list *list, const char *name, const char *hash,
			 unsigned roles, struct err *err);
/* The certificate of the account that was added last; what cert owns is taken over. */
void operator_list_set_cert(struct operator_list *list, struct operator_cert *cert);

/*
 * Who sends this request? *out is borrowed from the list. ERR_DENIED: nobody said, or the name or
 * the password is wrong, which take the same time. ERR_TOO_MANY: it was wrong too often from this
 * address, and is not looked at. ERR_BUSY: too many checks at once.
 */
RESULT operator_authenticate(const struct operator_list *list, struct crypto *c,
			     const struct http_request *req, const struct operator_account **out,
			     struct err *err);
/* Seconds until an address that was wrong too often may try again; 0: it may. */
unsigned operator_wait(const struct operator_list *list, const struct http_request *req);
/* Counts a failure that no password is to blame for, such as a stranger's certificate. */
void operator_blame(const struct operator_list *list, const struct http_request *req);
/* Did the request show any credentials? */
bool operator_is_named(const struct http_request *req);

struct operator_shown {
	struct span name;
	struct span password;
};
/* The same by name and password, wherever in the request they stood. */
RESULT operator_check(const struct operator_list *list, struct crypto *c,
		      const struct http_request *req, const struct operator_shown *shown,
		      const struct operator_account **out, struct err *err);
/*
 * The same by the client certificate of the TLS connection. ERR_NOT_FOUND: none was shown, or it is
 * nobody's. ERR_DENIED: an operator's, but it is not verified or not in validity now. Whether it is
 * revoked is for the caller to see. *leaf: its certificate, a view of req's.
 */
RESULT operator_recognise(const struct operator_list *list, struct crypto *c, int64_t now,
			  const struct http_request *req, struct cert *leaf,
			  const struct operator_account **out, struct err *err);

#endif
