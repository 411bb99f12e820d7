/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl ca: make and see certification authorities. */
#include "cli/ctl/ctl_list.h"

/* ---- showing ---- */

static void put_cert(const struct cli_output *o, const json_t *cert)
{
	cli_output_line(o, CLI_BOLD, "%s", ctl_api_text(cert, "role"));
	cli_output_pair(o, "  Subject", "%s", ctl_api_text(cert, "subject"));
	cli_output_pair(o, "  Key", "%s (%s)", ctl_api_text(cert, "key"),
			ctl_api_text(cert, "key_id"));
	cli_output_pair(o, "  Serial", "%s", ctl_api_text(cert, "serial"));
	cli_output_pair(o, "  Valid", "%s to %s", ctl_api_text(cert, "not_before"),
			ctl_api_text(cert, "not_after"));
	cli_output_pair(o, "  SHA-256", "%s", ctl_api_text(cert, "sha256"));
}

static void put_ca(const struct cli_output *o, const json_t *ca)
{
	const json_t *cert;
	size_t i;

	cli_output_pair(o, "Name", "%s", ctl_api_text(ca, "name"));
	cli_output_pair(o, "Created", "%s", ctl_api_text(ca, "created"));
	json_array_foreach(json_object_get(ca, "certificates"), i, cert) put_cert(o, cert);
}

/* ---- init ---- */

struct init_opts {
	const char *name;
	const char *subject;
	const char *key;
	const char *validity;
	const char *leaf_validity;
	const char *ra;
	const char *ra_key;
	const char *key_store;
	const char *ra_key_store;
	const char *ra_validity;
};

#define OPT(name, kind, field, value, help)                                                        \
	{                                                                                          \
		name, kind, offsetof(struct init_opts, field), value, help                         \
	}

static const struct cli_option init_options[] = {
	OPT("NAME", CLI_ARG, name, NULL, "as endpoints call it: a-z, 0-9 and -"),
	OPT("--subject", CLI_TEXT, subject, "DN", "of the CA certificate; default CN=NAME"),
	OPT("--key", CLI_TEXT, key, "TYPE",
	    "of the CA: p256 (default), p384, p521, rsa2048, rsa3072, rsa4096, ed25519; with "
	    "OpenSSL 3.5 ml-dsa-44, ml-dsa-65, ml-dsa-87"),
	OPT("--key-store", CLI_TEXT, key_store, "WHERE",
	    "the CA's key is, or is to be: file, tpm: or a pkcs11: URI; default as configured"),
	OPT("--validity", CLI_TEXT, validity, "TIME", "of the CA certificate; default 10y"),
	OPT("--leaf-validity", CLI_TEXT, leaf_validity, "TIME",
	    "the longest that a device's certificate may last; default 2y"),
	OPT("--ra", CLI_TEXT, ra, "HOW",
	    "registration authority, which speaks SCEP for the CA: one, split or none"),
	OPT("--ra-key", CLI_TEXT, ra_key, "TYPE", "of the RA: rsa2048 (default), rsa3072, rsa4096"),
	OPT("--ra-key-store", CLI_TEXT, ra_key_store, "WHERE", "the same for the RA's key"),
	OPT("--ra-validity", CLI_TEXT, ra_validity, "TIME",
	    "of the RA certificates; default as the CA's"),
	{ 0 },
};

static json_t *init_request(const struct init_opts *o)
{
	json_t *body = json_object();

	ctl_api_set(body, "name", o->name);
	if (o->subject)
		ctl_api_set(body, "subject", o->subject);
	else
		(void)json_object_set_new(body, "subject", json_sprintf("CN=%s", o->name));
	ctl_api_set(body, "key", o->key);
	ctl_api_set(body, "validity", o->validity);
	ctl_api_set(body, "leaf_validity", o->leaf_validity);
	ctl_api_set(body, "ra", o->ra);
	ctl_api_set(body, "ra_key", o->ra_key);
	ctl_api_set(body, "key_store", o->key_store);
	ctl_api_set(body, "ra_key_store", o->ra_key_store);
	ctl_api_set(body, "ra_validity", o->ra_validity);
	return body;
}

static enum result run_init(struct cli *cli, const void *opts, struct err *err)
{
	CLEANUP_JSON body = init_request(opts);
	CLEANUP_JSON answer = NULL;

	TRY(ctl_api_post(cli, "/v1/cas", body, &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	put_ca(&cli->out, answer);
	if (cli->out.terminal)
		cli_output_line(&cli->out, CLI_GREEN,
				"Ready. Next: scepterctl challenge new, for the first device.");
	return OK;
}

/* ---- list ---- */

static const struct cli_option list_options[] = { CTL_LIST_PAGE, { 0 } };

static enum result run_list(struct cli *cli, const void *opts, struct err *err)
{
	CLEANUP(cli_table_clear)
	struct cli_table t = { { "NAME", "SUBJECT", "KEY", "NOT AFTER", "RA" }, 5 };
	CLEANUP_JSON answer = NULL;
	const json_t *ca, *certs, *own;
	size_t i, n;

	TRY(ctl_list_get(cli, "/v1/cas", opts, &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	json_array_foreach(json_object_get(answer, "cas"), i, ca)
	{
		certs = json_object_get(ca, "certificates");
		own = json_array_get(certs, 0);
		n = json_array_size(certs);
		cli_table_put(&t, ctl_api_text(ca, "name"));
		cli_table_put(&t, ctl_api_text(own, "subject"));
		cli_table_put(&t, ctl_api_text(own, "key"));
		cli_table_put(&t, ctl_api_text(own, "not_after"));
		cli_table_put(&t, n < 2 ? "none" : n == 2 ? "one" : "split");
	}
	return cli_table_print(&t, &cli->out, "no CA yet: scepterctl ca init NAME", err);
}

/* ---- show ---- */

struct show_opts {
	const char *name;
	bool pem;
};

static const struct cli_option show_options[] = {
	{ "NAME", CLI_ARG, offsetof(struct show_opts, name), NULL, "of the CA" },
	{ "--pem", CLI_FLAG, offsetof(struct show_opts, pem), NULL,
	  "the CA certificate alone, in PEM" },
	{ 0 },
};

static enum result run_show(struct cli *cli, const void *opts, struct err *err)
{
	const struct show_opts *o = opts;
	CLEANUP_JSON answer = NULL;
	BUF path = BUF_INIT;
	const json_t *own;

	ctl_api_path(&path, "/v1/cas/", o->name);
	TRY(buf_check(&path, err));
	TRY(ctl_api_get(cli, buf_cstr(&path), &answer, err));
	own = json_array_get(json_object_get(answer, "certificates"), 0);
	if (o->pem)
		(void)fputs(ctl_api_text(own, "certificate"), cli->out.file);
	else if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	else
		put_ca(&cli->out, answer);
	return OK;
}

static const struct cli_command commands[] = {
	{ .name = "init",
	  .summary = "Make a CA: its keys, its certificate, and a registration authority.",
	  .examples = "scepterctl ca init demo --subject \"CN=Demo CA,O=Example\"\n"
		      "scepterctl ca init plant --key p384 --ra split --validity 20y "
		      "--leaf-validity 5y\n"
		      "scepterctl ca init old --key rsa3072 --ra none\n"
		      "scepterctl ca init vault --key p384 --key-store 'pkcs11:token=scepter'\n",
	  .options = init_options,
	  .opts_size = sizeof(struct init_opts),
	  .run = run_init },
	{ .name = "list",
	  .summary = "List the CAs.",
	  .examples = "scepterctl ca list\n",
	  .options = list_options,
	  .opts_size = sizeof(struct ctl_list),
	  .run = run_list },
	{ .name = "show",
	  .summary = "Show a CA with its certificates and fingerprints.",
	  .examples = "scepterctl ca show demo\n"
		      "scepterctl ca show demo --pem > ca.pem\n",
	  .options = show_options,
	  .opts_size = sizeof(struct show_opts),
	  .run = run_show },
	{ 0 },
};

const struct cli_command ctl_ca = {
	.name = "ca",
	.summary = "Make and see certification authorities.",
	.examples = "scepterctl ca init demo --subject \"CN=Demo CA,O=Example\"\n"
		    "scepterctl ca list\n"
		    "scepterctl ca show demo --pem > ca.pem\n",
	.sub = commands,
};
