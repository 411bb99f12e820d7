/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates taken back, put on hold, and released: POST /v1/certs/SERIAL. */
#include "admin/call.h"
#include "admin/cert_json.h"
#include "base/hex.h"
#include "ca/revoke.h"

/* The CA that has issued the serial number, where the caller does not say it. */
struct lookup {
	char ca[STORE_NAME_MAX];
	unsigned n;
};

static enum result look(void *ctx, const struct store_cert *c, struct err *err)
{
	struct lookup *l = ctx;

	(void)err;
	memcpy(l->ca, c->ca, sizeof(l->ca));
	l->n++;
	return OK;
}

static RESULT find_ca(const struct admin_call *call, const char *ca, struct span serial,
		      struct lookup *out, struct err *err)
{
	const struct store_cert_filter filter = { .ca = ca, .serial = serial, .limit = 2 };

	if (serial.len == 0)
		return err_set(err, ERR_BAD_REQUEST, "serial number: no digits");
	TRY(store_each_cert(call->api->store, &filter, look, out, err));
	if (out->n == 0)
		return err_set(err, ERR_NOT_FOUND, "no certificate has the serial number %.64s",
			       admin_call_arg(call));
	if (out->n > 1)
		return err_set(
		    err, ERR_CONFLICT,
		    "several CAs have issued the serial number %.64s: say which is meant",
		    admin_call_arg(call));
	return OK;
}

/* What is asked for, once the certificate is known. */
struct change {
	const struct revoke_context *ctx;
	const char *ca;
	struct span serial;
	const char *reason; /* NULL: none given */
	const char *actor;
};

static RESULT revoke(const struct change *c, struct err *err)
{
	struct revoke_request req = { .ca = c->ca, .serial = c->serial, .actor = c->actor };

	if (c->reason)
		TRY(err_prefix(err, crl_reason_parse(c->reason, &req.reason, err), "reason"));
	if (req.reason == CRL_CERTIFICATE_HOLD)
		return err_set(err, ERR_BAD_REQUEST,
			       "certificateHold is not for good: put the certificate on hold");
	return revoke_cert(c->ctx, &req, err);
}

static RESULT hold(const struct change *c, struct err *err)
{
	const struct revoke_request req = {
		.ca = c->ca, .serial = c->serial, .reason = CRL_CERTIFICATE_HOLD, .actor = c->actor
	};

	return revoke_cert(c->ctx, &req, err);
}

static RESULT release(const struct change *c, struct err *err)
{
	return revoke_release(c->ctx, c->ca, c->serial, c->actor, err);
}

static const struct {
	const char *name;
	enum result (*run)(const struct change *c, struct err *err);
} actions[] = { { "revoke", revoke }, { "hold", hold }, { "release", release } };

static RESULT run_action(const char *name, const struct change *c, struct err *err)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(actions); i++)
		if (name && strcmp(name, actions[i].name) == 0)
			break;
	if (i == ARRAY_LEN(actions))
		return err_set(err, ERR_BAD_REQUEST,
			       "field \"action\" must be revoke, hold or release");
	if (c->reason && actions[i].run != revoke)
		return err_set(err, ERR_BAD_REQUEST, "field \"reason\" is for revoke only");
	return actions[i].run(c, err);
}

json_t *admin_cert_status_json(const struct store_status *status)
{
	if (!status->revoked)
		return json_pack("{s:s}", "status", "good");
	return json_pack("{s:s, s:s, s:o}", "status",
			 status->reason == STORE_REASON_HOLD ? "hold" : "revoked", "reason",
			 crl_reason_name(status->reason), "revoked",
			 admin_call_json_time(status->time));
}

static RESULT answer(struct admin_call *call, const struct change *c, struct err *err)
{
	struct store_status status = { 0 };
	json_t *o;

	TRY(store_find_status(call->api->store, c->ca, c->serial, &status, err));
	o = admin_cert_status_json(&status);
	if (o) {
		(void)json_object_set_new(o, "serial", admin_call_json_hex(c->serial));
		(void)json_object_set_new(o, "ca", json_string(c->ca));
	}
	return admin_call_answer(call, o, err);
}

enum result admin_cert_change(struct admin_call *call, struct err *err)
{
	static const char *const known[] = { "action", "reason", "ca", NULL };
	const struct admin_api *api = call->api;
	const struct revoke_context ctx = { api->store, api->clock, api->log };
	struct change c = { .ctx = &ctx, .actor = call->actor };
	const char *action = NULL, *ca = NULL;
	struct lookup found = { .n = 0 };
	BUF serial = BUF_INIT;

	TRY(admin_call_check_fields(call, known, err));
	TRY(admin_call_text(call, "action", &action, err));
	TRY(admin_call_text(call, "reason", &c.reason, err));
	TRY(admin_call_text(call, "ca", &ca, err));
	TRY(admin_cert_read_serial(call, &serial, err));
	TRY(find_ca(call, ca, buf_span(&serial), &found, err));
	c.ca = found.ca;
	c.serial = buf_span(&serial);
	TRY(run_action(action, &c, err));
	return answer(call, &c, err);
}
