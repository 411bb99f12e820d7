/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl cert: the certificates that were issued. */
#include "base/clock.h"
#include "base/file.h"
#include "cli/ctl/ctl_list.h"
#include "pki/pem.h"

/* ---- list ---- */

struct list_opts {
	struct ctl_list list;
	const char *ca;
	const char *subject;
	const char *transaction;
};

static const struct cli_option list_options[] = {
	{ "--ca", CLI_TEXT, offsetof(struct list_opts, ca), "NAME", "only of this CA" },
	{ "--subject", CLI_TEXT, offsetof(struct list_opts, subject), "TEXT",
	  "only with this in the subject, in any case" },
	{ "--transaction", CLI_TEXT, offsetof(struct list_opts, transaction), "ID",
	  "only of this transactionID" },
	CTL_LIST_PAGE,
	{ 0 },
};

/* As the API tells it; one that nobody took back ends by itself. now: as the API writes times. */
static const char *state_of(const json_t *cert, const char *now)
{
	const char *status = ctl_api_text(cert, "status");
	bool over = strcmp(ctl_api_text(cert, "not_after"), now) < 0;

	return over && strcmp(status, "good") == 0 ? "expired" : status;
}

static RESULT put_list(const struct cli *cli, const json_t *list, struct err *err)
{
	CLEANUP(cli_table_clear)
	struct cli_table t = { { "SERIAL", "CA", "STATE", "ISSUED", "NOT AFTER", "SUBJECT" }, 6 };
	const struct clock clock = CLOCK_SYSTEM;
	char now[CLOCK_TEXT_MAX];
	const json_t *c;
	size_t i;

	clock_format(clock_now(&clock), now);
	json_array_foreach(list, i, c)
	{
		cli_table_put(&t, ctl_api_text(c, "serial"));
		cli_table_put(&t, ctl_api_text(c, "ca"));
		ctl_list_put_state(&t, state_of(c, now));
		cli_table_put(&t, ctl_api_text(c, "issued"));
		cli_table_put(&t, ctl_api_text(c, "not_after"));
		cli_table_put(&t, ctl_api_text(c, "subject"));
	}
	return cli_table_print(&t, &cli->out, "no such certificate", err);
}

static enum result run_list(struct cli *cli, const void *opts, struct err *err)
{
	static const struct ctl_list_shown shown = { "certs", put_list };
	const struct list_opts *o = opts;
	BUF path = BUF_INIT;

	buf_put_str(&path, "/v1/certs");
	ctl_api_query(&path, "ca", o->ca);
	ctl_api_query(&path, "subject", o->subject);
	ctl_api_query(&path, "transaction", o->transaction);
	TRY(buf_check(&path, err));
	return ctl_list_run(cli, buf_cstr(&path), &o->list, &shown, err);
}

/* ---- show and export ---- */

struct one_opts {
	const char *serial;
	const char *ca;
	bool der;
	const char *file;
};

#define SERIAL                                                                                     \
	{                                                                                          \
		"SERIAL", CLI_ARG, offsetof(struct one_opts, serial), NULL,                        \
		    "serial number in hexadecimal; colons and either case are fine"                \
	}
#define CA                                                                                         \
	{                                                                                          \
		"--ca", CLI_TEXT, offsetof(struct one_opts, ca), "NAME",                           \
		    "which CA's, where several have issued this serial number"                     \
	}

static const struct cli_option show_options[] = { SERIAL, CA, { 0 } };

static const struct cli_option export_options[] = {
	SERIAL,
	CA,
	{ "--der", CLI_FLAG, offsetof(struct one_opts, der), NULL, "DER instead of PEM" },
	{ "--out", CLI_TEXT, offsetof(struct one_opts, file), "FILE",
	  "where to write it; default standard output" },
	{ 0 },
};

static RESULT fetch(const struct cli *cli, const struct one_opts *o, json_t **answer,
		    struct err *err)
{
	BUF path = BUF_INIT;

	ctl_api_path(&path, "/v1/certs/", o->serial);
	ctl_api_query(&path, "ca", o->ca);
	TRY(buf_check(&path, err));
	return ctl_api_get(cli, buf_cstr(&path), answer, err);
}

static enum result run_show(struct cli *cli, const void *opts, struct err *err)
{
	static const struct {
		const char *name;
		const char *field;
	} rows[] = {
		{ "Serial", "serial" },
		{ "Subject", "subject" },
		{ "CA", "ca" },
		{ "Not before", "not_before" },
		{ "Not after", "not_after" },
		{ "Issued", "issued" },
		{ "Status", "status" },
		{ "Revoked", "revoked" },
		{ "Reason", "reason" },
		{ "Profile", "profile" },
		{ "Endpoint", "endpoint" },
		{ "Transaction", "transaction" },
	};
	CLEANUP_JSON answer = NULL;
	size_t i;

	TRY(fetch(cli, opts, &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	for (i = 0; i < ARRAY_LEN(rows); i++)
		if (json_object_get(answer, rows[i].field))
			cli_output_pair(&cli->out, rows[i].name, "%s",
					ctl_api_text(answer, rows[i].field));
	(void)fputs(ctl_api_text(answer, "certificate"), cli->out.file);
	return OK;
}

static enum result run_export(struct cli *cli, const void *opts, struct err *err)
{
	const struct one_opts *o = opts;
	CLEANUP_JSON answer = NULL;
	struct span pem, text;
	BUF der = BUF_INIT;

	TRY(fetch(cli, o, &answer, err));
	pem = text = span_str(ctl_api_text(answer, "certificate"));
	TRY(pem_next(&text, "CERTIFICATE", &der, err));
	if (o->der && !o->file && cli->out.terminal)
		return err_set(err, ERR_USAGE, "--der: not onto a terminal; name a file by --out");
	return cli_output_bytes(&cli->out, o->file, o->der ? buf_span(&der) : pem, err);
}

/* ---- revoke, hold and release ---- */

struct change_opts {
	const char *serial;
	const char *ca;
	const char *reason;
};

#define CHANGE_SERIAL                                                                              \
	{                                                                                          \
		"SERIAL", CLI_ARG, offsetof(struct change_opts, serial), NULL,                     \
		    "serial number in hexadecimal; colons and either case are fine"                \
	}
#define CHANGE_CA                                                                                  \
	{                                                                                          \
		"--ca", CLI_TEXT, offsetof(struct change_opts, ca), "NAME",                        \
		    "which CA's, where several have issued this serial number"                     \
	}

static const struct cli_option revoke_options[] = {
	CHANGE_SERIAL,
	{ "--reason", CLI_TEXT, offsetof(struct change_opts, reason), "REASON",
	  "keyCompromise, affiliationChanged, superseded, cessationOfOperation, "
	  "privilegeWithdrawn; "
	  "default unspecified",
	  .choices = "keyCompromise affiliationChanged superseded cessationOfOperation "
		     "privilegeWithdrawn unspecified" },
	CHANGE_CA,
	{ 0 },
};

static const struct cli_option change_options[] = { CHANGE_SERIAL, CHANGE_CA, { 0 } };

static RESULT change(const struct cli *cli, const struct change_opts *o, const char *action,
		     struct err *err)
{
	CLEANUP_JSON body = json_object();
	CLEANUP_JSON answer = NULL;
	BUF path = BUF_INIT;

	ctl_api_path(&path, "/v1/certs/", o->serial);
	TRY(buf_check(&path, err));
	ctl_api_set(body, "action", action);
	ctl_api_set(body, "reason", o->reason);
	ctl_api_set(body, "ca", o->ca);
	TRY(ctl_api_post(cli, buf_cstr(&path), body, &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	cli_output_pair(&cli->out, "Serial", "%s", ctl_api_text(answer, "serial"));
	cli_output_pair(&cli->out, "CA", "%s", ctl_api_text(answer, "ca"));
	cli_output_pair(&cli->out, "Status", "%s", ctl_api_text(answer, "status"));
	return OK;
}

static enum result run_revoke(struct cli *cli, const void *opts, struct err *err)
{
	return change(cli, opts, "revoke", err);
}

static enum result run_hold(struct cli *cli, const void *opts, struct err *err)
{
	return change(cli, opts, "hold", err);
}

static enum result run_release(struct cli *cli, const void *opts, struct err *err)
{
	return change(cli, opts, "release", err);
}

static const struct cli_command commands[] = {
	{ .name = "list",
	  .summary = "List certificates, newest first.",
	  .examples = "scepterctl cert list --limit 20\n"
		      "scepterctl cert list --ca demo --subject router\n",
	  .options = list_options,
	  .opts_size = sizeof(struct list_opts),
	  .run = run_list },
	{ .name = "show",
	  .summary = "Show a certificate and how it came about.",
	  .examples = "scepterctl cert show 5f3a09c1d2e4b6a8907f6e5d4c3b2a19\n",
	  .options = show_options,
	  .opts_size = sizeof(struct one_opts),
	  .run = run_show },
	{ .name = "export",
	  .summary = "Write a certificate in PEM or DER.",
	  .examples = "scepterctl cert export 5f3a09c1d2e4b6a8907f6e5d4c3b2a19 > cert.pem\n"
		      "scepterctl cert export 5f3a... --der --out cert.der\n",
	  .options = export_options,
	  .opts_size = sizeof(struct one_opts),
	  .run = run_export },
	{ .name = "revoke",
	  .summary = "Take a certificate back, for good.",
	  .examples =
	      "scepterctl cert revoke 5f3a09c1d2e4b6a8907f6e5d4c3b2a19 --reason keyCompromise\n",
	  .options = revoke_options,
	  .opts_size = sizeof(struct change_opts),
	  .run = run_revoke },
	{ .name = "hold",
	  .summary = "Take a certificate back until it is released or revoked.",
	  .examples = "scepterctl cert hold 5f3a09c1d2e4b6a8907f6e5d4c3b2a19\n",
	  .options = change_options,
	  .opts_size = sizeof(struct change_opts),
	  .run = run_hold },
	{ .name = "release",
	  .summary = "Make a certificate good again that was on hold.",
	  .examples = "scepterctl cert release 5f3a09c1d2e4b6a8907f6e5d4c3b2a19\n",
	  .options = change_options,
	  .opts_size = sizeof(struct change_opts),
	  .run = run_release },
	{ 0 },
};

const struct cli_command ctl_cert = {
	.name = "cert",
	.summary = "See, export and revoke the certificates that were issued.",
	.examples = "scepterctl cert list --subject router7\n"
		    "scepterctl cert revoke 5f3a09c1d2e4b6a8907f6e5d4c3b2a19 --reason superseded\n",
	.sub = commands,
};
