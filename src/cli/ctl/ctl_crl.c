/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl crl: the revocation lists that are published. */
#include "base/file.h"
#include "cli/ctl/ctl_list.h"
#include "pki/pem.h"

/* ---- list and rebuild ---- */

struct list_opts {
	struct ctl_list list;
	const char *ca;
};

static const struct cli_option list_options[] = {
	{ "--ca", CLI_TEXT, offsetof(struct list_opts, ca), "NAME", "only of this CA" },
	CTL_LIST_PAGE,
	{ 0 },
};

static const struct cli_option rebuild_options[] = {
	{ "CA", CLI_ARG, offsetof(struct list_opts, ca), NULL, "whose lists" },
	{ 0 },
};

static void put_row(struct cli_table *t, const json_t *crl)
{
	const char *part = ctl_api_text(crl, "part");
	bool delta = json_is_true(json_object_get(crl, "delta"));

	cli_table_put(t, ctl_api_text(crl, "ca"));
	cli_table_put(t, delta ? "delta" : *part ? part : "full");
	ctl_list_put_number(t, crl, "generation");
	ctl_list_put_number(t, crl, "number");
	ctl_list_put_number(t, crl, "entries");
	cli_table_put(t, ctl_api_text(crl, "this_update"));
	cli_table_put(t, ctl_api_text(crl, "next_update"));
}

static RESULT put_lists(const struct cli *cli, const json_t *list, struct err *err)
{
	CLEANUP(cli_table_clear)
	struct cli_table t = {
		{ "CA", "LIST", "GENERATION", "NUMBER", "ENTRIES", "THIS UPDATE", "NEXT UPDATE" }, 7
	};
	const json_t *crl;
	size_t i;

	json_array_foreach(list, i, crl) put_row(&t, crl);
	return cli_table_print(&t, &cli->out, "no revocation list yet", err);
}

static const struct ctl_list_shown shown = { "crls", put_lists };

static enum result run_list(struct cli *cli, const void *opts, struct err *err)
{
	const struct list_opts *o = opts;
	BUF path = BUF_INIT;

	buf_put_str(&path, "/v1/crls");
	ctl_api_query(&path, "ca", o->ca);
	TRY(buf_check(&path, err));
	return ctl_list_run(cli, buf_cstr(&path), &o->list, &shown, err);
}

static enum result run_rebuild(struct cli *cli, const void *opts, struct err *err)
{
	const struct list_opts *o = opts;
	CLEANUP_JSON answer = NULL;
	CLEANUP_JSON body = json_object();
	BUF path = BUF_INIT;

	ctl_api_path(&path, "/v1/crls/", o->ca);
	TRY(buf_check(&path, err));
	TRY(ctl_api_post_long(cli, "making the lists", buf_cstr(&path), body, &answer, err));
	return ctl_list_show(cli, answer, &shown, err);
}

/* ---- export ---- */

struct export_opts {
	const char *ca;
	const char *list;
	bool der;
	const char *file;
};

static const struct cli_option export_options[] = {
	{ "CA", CLI_ARG, offsetof(struct export_opts, ca), NULL, "whose list" },
	{ "--list", CLI_TEXT, offsetof(struct export_opts, list), "NAME",
	  "full.crl, delta.crl, 0.crl ...; default full.crl", .choices = "full.crl delta.crl" },
	{ "--der", CLI_FLAG, offsetof(struct export_opts, der), NULL, "DER instead of PEM" },
	{ "--out", CLI_TEXT, offsetof(struct export_opts, file), "FILE",
	  "where to write it; default standard output" },
	{ 0 },
};

static enum result run_export(struct cli *cli, const void *opts, struct err *err)
{
	const struct export_opts *o = opts;
	CLEANUP_JSON answer = NULL;
	BUF path = BUF_INIT, der = BUF_INIT;
	struct span pem, text;

	ctl_api_path(&path, "/v1/crls/", o->ca);
	ctl_api_query(&path, "list", o->list);
	TRY(buf_check(&path, err));
	TRY(ctl_api_get(cli, buf_cstr(&path), &answer, err));
	pem = text = span_str(ctl_api_text(answer, "crl"));
	TRY(pem_next(&text, "X509 CRL", &der, err));
	if (o->der && !o->file && cli->out.terminal)
		return err_set(err, ERR_USAGE, "--der: not onto a terminal; name a file by --out");
	return cli_output_bytes(&cli->out, o->file, o->der ? buf_span(&der) : pem, err);
}

static const struct cli_command commands[] = {
	{ .name = "list",
	  .summary = "List the newest revocation list of each kind.",
	  .examples = "scepterctl crl list\n",
	  .options = list_options,
	  .opts_size = sizeof(struct list_opts),
	  .run = run_list },
	{ .name = "rebuild",
	  .summary = "Make all revocation lists of a CA now.",
	  .examples = "scepterctl crl rebuild demo\n",
	  .options = rebuild_options,
	  .opts_size = sizeof(struct list_opts),
	  .run = run_rebuild },
	{ .name = "export",
	  .summary = "Write a revocation list in PEM or DER.",
	  .examples = "scepterctl crl export demo > demo.crl.pem\n"
		      "scepterctl crl export demo --list delta.crl --der --out delta.crl\n",
	  .options = export_options,
	  .opts_size = sizeof(struct export_opts),
	  .run = run_export },
	{ 0 },
};

const struct cli_command ctl_crl = {
	.name = "crl",
	.summary = "See, make and export revocation lists.",
	.examples = "scepterctl crl list\n"
		    "scepterctl crl rebuild demo\n",
	.sub = commands,
};
