/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/enrol_device.h"

#include "ca/device.h"

static RESULT deny(const struct enrol_request *req, struct err *err)
{
	enrol_trace_add(req->trace, "allow list", false, "%s", err_text(err));
	return err_prefix(err, ERR_DENIED, "allow list");
}

static RESULT check_entry(const struct enrol_request *req, const struct store_device *d,
			  struct enrol_auth *auth, struct err *err)
{
	int shown = (int)span_sub(buf_span(&d->value), 0, 96).len;
	const char *value = d->value.len ? (const char *)d->value.data : "";

	if (d->once && d->bound && memcmp(d->bound_to, auth->binding, STORE_HASH) != 0) {
		(void)!err_set(err, ERR_DENIED,
			       "%s \"%.*s\" of list \"%s\" was used already, with another "
			       "transactionID or key",
			       d->type, shown, value, d->list);
		return deny(req, err);
	}
	auth->device = d->once ? d->id : 0;
	enrol_trace_add(req->trace, "allow list", true, "%s \"%.*s\" is on list \"%s\"%s", d->type,
			shown, value, d->list, d->once ? ", once" : "");
	return OK;
}

enum result enrol_device_check(const struct enrol_context *ctx, const struct enrol_request *req,
			       struct enrol_auth *auth, struct err *err)
{
	CLEANUP(store_device_clear) struct store_device d = { 0 };
	CLEANUP(device_keys_clear) struct device_keys keys = { .n = 0 };
	enum result r;

	TRY(device_keys_read(&keys, req->subject, req->exts, err));
	r = store_match_device(ctx->store, req->policy->allow_list, keys.keys, keys.n,
			       auth->binding, &d, err);
	if (r == ERR_NOT_FOUND) {
		(void)!err_set(err, ERR_DENIED, "nothing in the request is on list \"%s\"",
			       req->policy->allow_list);
		return deny(req, err);
	}
	TRY(r);
	return check_entry(req, &d, auth, err);
}
