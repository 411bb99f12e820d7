/* SPDX-License-Identifier: Apache-2.0 */
/* One call of the admin API, as its functions see it, and what they share. */
#ifndef ADMIN_CALL_H
#define ADMIN_CALL_H

#include <jansson.h>

#include "admin/api.h"

struct admin_call {
	const struct admin_api *api;
	struct crypto *c;
	const struct http_request *req;
	struct buf arg;             /* last part of the path, decoded; with a NUL behind it */
	json_t *body;               /* of a POST: an object; borrowed */
	json_t *answer;             /* the function makes it; owned */
	struct buf raw;             /* answered instead... */
	const char *raw_type;       /* ...where this is set: its media type */
	char actor[STORE_NAME_MAX]; /* "uid 0", or the operator's name */
	unsigned roles;             /* of the caller, see operator.h */
	unsigned wait;              /* seconds, after too many wrong logins */
	char origin[160];           /* "from 192.0.2.7 by password"; empty: the Unix socket */
};

/* Answers by call->answer; an error becomes the reply. */
typedef enum result admin_call_fn(struct admin_call *call, struct err *err);

admin_call_fn admin_openapi_show;
admin_call_fn admin_backup_create;
admin_call_fn admin_backup_show;
admin_call_fn admin_backup_read;
admin_call_fn admin_backup_remove;
admin_call_fn admin_status_show;
admin_call_fn admin_ca_list;
admin_call_fn admin_ca_show;
admin_call_fn admin_ca_create;
admin_call_fn admin_ca_roll;
admin_call_fn admin_ca_move_rollover;
admin_call_fn admin_ca_cancel_rollover;
admin_call_fn admin_ca_import;
admin_call_fn admin_challenge_list;
admin_call_fn admin_challenge_create;
admin_call_fn admin_challenge_revoke;
admin_call_fn admin_device_lists;
admin_call_fn admin_device_import;
admin_call_fn admin_device_list;
admin_call_fn admin_device_add;
admin_call_fn admin_device_show;
admin_call_fn admin_device_remove;
admin_call_fn admin_key_list;
admin_call_fn admin_key_block;
admin_call_fn admin_key_show;
admin_call_fn admin_key_unblock;
admin_call_fn admin_cert_list;
admin_call_fn admin_cert_show;
admin_call_fn admin_cert_change;
admin_call_fn admin_crl_list;
admin_call_fn admin_crl_show;
admin_call_fn admin_crl_rebuild;
admin_call_fn admin_explain_show;
admin_call_fn admin_audit_list;
admin_call_fn admin_audit_key;
admin_call_fn admin_audit_seal;
admin_call_fn admin_request_list;
admin_call_fn admin_request_show;
admin_call_fn admin_request_approve;
admin_call_fn admin_request_reject;

static inline const char *admin_call_arg(const struct admin_call *call)
{
	return (const char *)call->arg.data;
}

/* ---- what was sent ---- */

/* Parameter of the query, decoded, with a NUL behind it; *given false where it is missing. */
RESULT admin_call_query(const struct admin_call *call, const char *name, struct buf *out,
			bool *given, struct err *err);
/* The same as a number, `otherwise` where it is missing. */
RESULT admin_call_query_number(const struct admin_call *call, const char *name, int64_t otherwise,
			       int64_t *out, struct err *err);
/* Fields of the body. known: their names, ended by NULL; another one is ERR_BAD_REQUEST. */
RESULT admin_call_check_fields(const struct admin_call *call, const char *const *known,
			       struct err *err);
/* NULL where it is missing; *out is borrowed from the body. */
RESULT admin_call_text(const struct admin_call *call, const char *field, const char **out,
		       struct err *err);
/* "90d"; *out is left where it is missing. */
RESULT admin_call_duration(const struct admin_call *call, const char *field, int64_t *out,
			   struct err *err);

/* ---- what is answered; a setter that fails for memory leaves the field out ---- */

/* Text as it is where it is UTF-8, else in hexadecimal. */
json_t *admin_call_json_text(struct span text);
json_t *admin_call_json_hex(struct span bytes);
/* "2026-11-21T20:44:00Z" */
json_t *admin_call_json_time(int64_t t);
json_t *admin_call_json_pem(const char *label, struct span der);
/* Name DER in RFC 4514 form. */
json_t *admin_call_json_name(struct span name);
/* GeneralNames as a list of "DNS:router7.example". */
json_t *admin_call_json_sans(struct span general_names);
/* "RSA 2048", "P-256" */
json_t *admin_call_json_key(struct span spki);
/* Sets the answer; ERR_NOMEM where it is NULL. */
RESULT admin_call_answer(struct admin_call *call, json_t *answer, struct err *err);

#endif
