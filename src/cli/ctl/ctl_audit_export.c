/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ctl/ctl_audit_export.h"

#include "audit/record.h"

#define PAGE 1000

struct export
{
	const struct cli *cli;
	ctl_audit_line_fn *fn;
	void *ctx;
	int64_t last;
};

static RESULT put_line(const struct export *x, const json_t *value, struct err *err)
{
	BUF line = BUF_INIT;

	TRY(audit_record_put(value, &line, err));
	return x->fn(x->ctx, buf_span(&line), err);
}

/* *after moves on to the last event that was written. */
static RESULT put_page(const struct export *x, int64_t *after, struct err *err)
{
	CLEANUP_JSON answer = NULL;
	const json_t *event;
	BUF path = BUF_INIT;
	size_t i, n = 0;

	buf_printf(&path, "/v1/audit/events?after=%lld&limit=%d", (long long)*after, PAGE);
	TRY(buf_check(&path, err));
	TRY(ctl_api_get(x->cli, buf_cstr(&path), &answer, err));
	json_array_foreach(json_object_get(answer, "events"), i, event)
	{
		if (*after == x->last)
			return OK;
		TRY(put_line(x, event, err));
		*after = json_integer_value(json_object_get(event, "id"));
		n++;
	}
	if (n == 0)
		return err_set(err, ERR_IO, "the server has no event behind %lld, but sealed %lld",
			       (long long)*after, (long long)x->last);
	return OK;
}

static RESULT put_head(const struct export *x, json_t *seal, struct err *err)
{
	CLEANUP_JSON head = json_pack("{s:i, s:O}", "scepter_audit", 1, "seal", seal);

	return put_line(x, head, err);
}

enum result ctl_audit_export(const struct cli *cli, const char *from, const char *to,
			     ctl_audit_line_fn *fn, void *ctx, struct err *err)
{
	struct export x = { .cli = cli, .fn = fn, .ctx = ctx };
	CLEANUP_JSON body = json_object();
	CLEANUP_JSON seal = NULL;
	enum result r = OK;
	int64_t after;

	ctl_api_set(body, "from", from);
	ctl_api_set(body, "to", to);
	TRY(ctl_api_post(cli, "/v1/audit/seals", body, &seal, err));
	x.last = json_integer_value(json_object_get(seal, "last"));
	after = json_integer_value(json_object_get(seal, "first")) - 1;
	TRY(put_head(&x, seal, err));
	while (r == OK && after < x.last) {
		cli_output_progress("%lld events to come", (long long)(x.last - after));
		r = put_page(&x, &after, err);
	}
	cli_output_progress_end();
	return r;
}
