/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/route.h"

#define ADMIN OPERATOR_ADMINISTRATOR
#define APPROVER OPERATOR_APPROVER
#define AUDITOR OPERATOR_AUDITOR
#define ISSUER OPERATOR_CHALLENGE_ISSUER
#define READERS (ADMIN | APPROVER | AUDITOR)
#define ANYONE (READERS | ISSUER)

/*
 * What there is, and what each role may do. docs/openapi.json says the same, and a test holds the
 * two together.
 */
static const struct admin_route routes[] = {
	{ HTTP_GET, "/v1/openapi.json", admin_openapi_show, 200, ANYONE },
	{ HTTP_GET, "/v1/status", admin_status_show, 200, ANYONE },
	{ HTTP_GET, "/v1/cas", admin_ca_list, 200, ANYONE },
	{ HTTP_GET, "/v1/cas/*", admin_ca_show, 200, ANYONE },
	{ HTTP_POST, "/v1/cas", admin_ca_create, 201, ADMIN },
	{ HTTP_POST, "/v1/cas/*/rollover", admin_ca_roll, 200, ADMIN },
	{ HTTP_POST, "/v1/cas/*/rollover/move", admin_ca_move_rollover, 200, ADMIN },
	{ HTTP_DELETE, "/v1/cas/*/rollover", admin_ca_cancel_rollover, 200, ADMIN },
	{ HTTP_POST, "/v1/cas/*/import", admin_ca_import, 200, ADMIN },
	{ HTTP_GET, "/v1/challenges", admin_challenge_list, 200, ADMIN | ISSUER | AUDITOR },
	{ HTTP_POST, "/v1/challenges", admin_challenge_create, 201, ADMIN | ISSUER },
	{ HTTP_DELETE, "/v1/challenges/*", admin_challenge_revoke, 200, ADMIN | ISSUER },
	{ HTTP_GET, "/v1/device-lists", admin_device_lists, 200, READERS },
	{ HTTP_POST, "/v1/device-lists/*", admin_device_import, 201, ADMIN },
	{ HTTP_GET, "/v1/devices", admin_device_list, 200, READERS },
	{ HTTP_POST, "/v1/devices", admin_device_add, 201, ADMIN },
	{ HTTP_GET, "/v1/devices/*", admin_device_show, 200, READERS },
	{ HTTP_DELETE, "/v1/devices/*", admin_device_remove, 200, ADMIN },
	{ HTTP_GET, "/v1/blocked-keys", admin_key_list, 200, READERS },
	{ HTTP_POST, "/v1/blocked-keys", admin_key_block, 201, ADMIN },
	{ HTTP_GET, "/v1/blocked-keys/*", admin_key_show, 200, READERS },
	{ HTTP_DELETE, "/v1/blocked-keys/*", admin_key_unblock, 200, ADMIN },
	{ HTTP_GET, "/v1/certs", admin_cert_list, 200, READERS },
	{ HTTP_GET, "/v1/certs/*", admin_cert_show, 200, READERS },
	{ HTTP_POST, "/v1/certs/*", admin_cert_change, 200, ADMIN },
	{ HTTP_GET, "/v1/crls", admin_crl_list, 200, READERS },
	{ HTTP_GET, "/v1/crls/*", admin_crl_show, 200, READERS },
	{ HTTP_POST, "/v1/crls/*", admin_crl_rebuild, 200, ADMIN },
	{ HTTP_GET, "/v1/transactions/*", admin_explain_show, 200, READERS },
	{ HTTP_GET, "/v1/audit/events", admin_audit_list, 200, ADMIN | AUDITOR },
	{ HTTP_GET, "/v1/audit/key", admin_audit_key, 200, ADMIN | AUDITOR },
	{ HTTP_POST, "/v1/audit/seals", admin_audit_seal, 201, ADMIN | AUDITOR },
	{ HTTP_GET, "/v1/requests", admin_request_list, 200, READERS },
	{ HTTP_GET, "/v1/requests/*", admin_request_show, 200, READERS },
	{ HTTP_POST, "/v1/requests/*/approve", admin_request_approve, 200, ADMIN | APPROVER },
	{ HTTP_POST, "/v1/requests/*/reject", admin_request_reject, 200, ADMIN | APPROVER },
	{ HTTP_POST, "/v1/backups", admin_backup_create, 201, ADMIN },
	{ HTTP_GET, "/v1/backups/*", admin_backup_show, 200, ADMIN },
	{ HTTP_GET, "/v1/backups/*/data", admin_backup_read, 200, ADMIN },
	{ HTTP_DELETE, "/v1/backups/*", admin_backup_remove, 200, ADMIN },
};

static bool matches(const struct admin_route *route, struct span path, struct span *arg)
{
	size_t head = strcspn(route->path, "*");

	if (!route->path[head])
		return span_eq_str(path, route->path);
	if (!span_eq(span_sub(path, 0, head), span_of(route->path, head)))
		return false;
	path = span_sub(path, head, SIZE_MAX);
	*arg = span_sub(path, 0, span_find(path, '/'));
	return arg->len > 0 &&
	       span_eq_str(span_sub(path, arg->len, SIZE_MAX), route->path + head + 1);
}

enum result admin_route_find(const struct http_request *req, const struct admin_route **out,
			     struct span *arg, struct err *err)
{
	bool path_known = false;
	size_t i;

	for (i = 0; i < ARRAY_LEN(routes); i++) {
		if (!matches(&routes[i], req->path, arg))
			continue;
		path_known = true;
		if (routes[i].method == req->method) {
			*out = &routes[i];
			return OK;
		}
	}
	if (path_known)
		return err_set(err, ERR_BAD_REQUEST, "%.*s is not for this method",
			       (int)req->path.len, (const char *)req->path.p);
	return err_set(err, ERR_NOT_FOUND, "there is nothing at %.*s", (int)req->path.len,
		       (const char *)req->path.p);
}

const struct admin_route *admin_route_at(size_t i)
{
	return i < ARRAY_LEN(routes) ? &routes[i] : NULL;
}
