/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl request: those that wait for an operator. */
#include "cli/ctl/ctl_list.h"

/* ---- list ---- */

static const struct cli_option list_options[] = {
	CTL_LIST_ALL("decided and expired ones too"),
	CTL_LIST_PAGE,
	{ 0 },
};

static RESULT put_approvals(struct cli_table *t, const json_t *r)
{
	BUF text = BUF_INIT;

	buf_printf(&text, "%d of %d", (int)json_integer_value(json_object_get(r, "approvals")),
		   (int)json_integer_value(json_object_get(r, "needed")));
	cli_table_put(t, buf_cstr(&text));
	return buf_check(&text, NULL);
}

static RESULT put_list(const struct cli *cli, const json_t *list, struct err *err)
{
	CLEANUP(cli_table_clear)
	struct cli_table t = {
		{ "ID", "STATE", "ENDPOINT", "CAME", "EXPIRES", "APPROVED", "FROM", "SUBJECT" }, 8
	};
	const json_t *r;
	size_t i;

	json_array_foreach(list, i, r)
	{
		ctl_list_put_number(&t, r, "id");
		ctl_list_put_state(&t, ctl_api_text(r, "state"));
		cli_table_put(&t, ctl_api_text(r, "endpoint"));
		cli_table_put(&t, ctl_api_text(r, "created"));
		cli_table_put(&t, ctl_api_text(r, "expires"));
		TRY(put_approvals(&t, r));
		cli_table_put(&t, ctl_api_text(r, "peer"));
		cli_table_put(&t, ctl_api_text(r, "subject"));
	}
	return cli_table_print(&t, &cli->out, "no request waits", err);
}

static enum result run_list(struct cli *cli, const void *opts, struct err *err)
{
	static const struct ctl_list_shown shown = { "requests", put_list };

	return ctl_list_run(cli, "/v1/requests", opts, &shown, err);
}

/* ---- one ---- */

struct one_opts {
	const char *id;
	const char *reason;
};

#define ID                                                                                         \
	{                                                                                          \
		"ID", CLI_ARG, offsetof(struct one_opts, id), NULL, "as \"request list\" shows it" \
	}

static const struct cli_option one_options[] = { ID, { 0 } };

static const struct cli_option reject_options[] = {
	ID,
	{ "--reason", CLI_TEXT, offsetof(struct one_opts, reason), "TEXT",
	  "told to the device, and kept on record" },
	{ 0 },
};

static RESULT show(const struct cli *cli, const json_t *r, struct err *err)
{
	static const struct {
		const char *name;
		const char *field;
	} rows[] = {
		{ "State", "state" },       { "Subject", "subject" },
		{ "Key", "key" },           { "Key SHA-256", "key_sha256" },
		{ "Endpoint", "endpoint" }, { "CA", "ca" },
		{ "Profile", "profile" },   { "Transaction", "transaction" },
		{ "From", "peer" },         { "Came", "created" },
		{ "Expires", "expires" },   { "Approved by", "approvers" },
		{ "Reason", "reason" },
	};
	const json_t *san;
	size_t i;

	if (cli->out.json)
		return cli_output_json(&cli->out, r, err);
	for (i = 0; i < ARRAY_LEN(rows); i++)
		if (*ctl_api_text(r, rows[i].field))
			cli_output_pair(&cli->out, rows[i].name, "%s",
					ctl_api_text(r, rows[i].field));
	json_array_foreach(json_object_get(r, "san"), i, san)
	{
		cli_output_pair(&cli->out, "Alternative", "%s", json_string_value(san));
	}
	return OK;
}

static enum result run_show(struct cli *cli, const void *opts, struct err *err)
{
	const struct one_opts *o = opts;
	CLEANUP_JSON answer = NULL;
	BUF path = BUF_INIT;

	ctl_api_path(&path, "/v1/requests/", o->id);
	TRY(buf_check(&path, err));
	TRY(ctl_api_get(cli, buf_cstr(&path), &answer, err));
	return show(cli, answer, err);
}

static RESULT decide(struct cli *cli, const struct one_opts *o, const char *verb, json_t **answer,
		     struct err *err)
{
	CLEANUP_JSON body = json_object();
	BUF path = BUF_INIT;

	ctl_api_set(body, "reason", o->reason);
	ctl_api_path(&path, "/v1/requests/", o->id);
	buf_printf(&path, "/%s", verb);
	TRY(buf_check(&path, err));
	return ctl_api_post(cli, buf_cstr(&path), body, answer, err);
}

static enum result run_approve(struct cli *cli, const void *opts, struct err *err)
{
	CLEANUP_JSON answer = NULL;

	TRY(decide(cli, opts, "approve", &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	if (strcmp(ctl_api_text(answer, "state"), "pending") == 0)
		cli_output_line(&cli->out, CLI_YELLOW,
				"approved; it takes another operator's approval as well");
	else
		cli_output_line(&cli->out, CLI_GREEN, "approved: the certificate for %s is issued",
				ctl_api_text(answer, "subject"));
	return OK;
}

static enum result run_reject(struct cli *cli, const void *opts, struct err *err)
{
	CLEANUP_JSON answer = NULL;

	TRY(decide(cli, opts, "reject", &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	cli_output_line(&cli->out, CLI_PLAIN, "rejected");
	return OK;
}

static const struct cli_command commands[] = {
	{ .name = "list",
	  .summary = "List the requests that wait for an operator.",
	  .examples = "scepterctl request list\n"
		      "scepterctl request list --all --json\n",
	  .options = list_options,
	  .opts_size = sizeof(struct ctl_list),
	  .run = run_list },
	{ .name = "show",
	  .summary = "Show what a request asks for, and who has approved it.",
	  .examples = "scepterctl request show 12\n",
	  .options = one_options,
	  .opts_size = sizeof(struct one_opts),
	  .run = run_show },
	{ .name = "approve",
	  .summary = "Grant a request; the device gets its certificate when it polls.",
	  .examples = "scepterctl request approve 12\n",
	  .options = one_options,
	  .opts_size = sizeof(struct one_opts),
	  .run = run_approve },
	{ .name = "reject",
	  .summary = "Refuse a request for good.",
	  .examples = "scepterctl request reject 12 --reason \"not one of ours\"\n",
	  .options = reject_options,
	  .opts_size = sizeof(struct one_opts),
	  .run = run_reject },
	{ 0 },
};

const struct cli_command ctl_request = {
	.name = "request",
	.summary = "See, approve and reject the requests that wait for an operator.",
	.examples = "scepterctl request list\n"
		    "scepterctl request approve 12\n",
	.sub = commands,
};
