/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl ca: make, see and renew certification authorities. */
#include <stdio.h>

#include "cli/ctl/ctl_ca.h"
#include "cli/ctl/ctl_list.h"

/* ---- showing ---- */

static int number_of(const json_t *o, const char *field)
{
	return (int)json_integer_value(json_object_get(o, field));
}

static void put_cert(const struct cli_output *o, const json_t *cert)
{
	cli_output_line(o, CLI_BOLD, "%s, generation %d", ctl_api_text(cert, "role"),
			number_of(cert, "generation"));
	if (!json_object_get(cert, "sha256"))
		return;
	cli_output_pair(o, "  Subject", "%s", ctl_api_text(cert, "subject"));
	if (json_object_get(cert, "key_id"))
		cli_output_pair(o, "  Key", "%s (%s)", ctl_api_text(cert, "key"),
				ctl_api_text(cert, "key_id"));
	cli_output_pair(o, "  Serial", "%s", ctl_api_text(cert, "serial"));
	cli_output_pair(o, "  Valid", "%s to %s", ctl_api_text(cert, "not_before"),
			ctl_api_text(cert, "not_after"));
	cli_output_pair(o, "  SHA-256", "%s", ctl_api_text(cert, "sha256"));
}

static void put_generation(const struct cli_output *o, const json_t *g)
{
	const char *begins = ctl_api_text(g, "begins"), *state = ctl_api_text(g, "state");

	if (strcmp(state, "awaits-certificate") == 0)
		cli_output_pair(o, "Generation", "%d awaits its certificate%s%s",
				number_of(g, "number"), *begins ? ", to take over at " : "",
				begins);
	else if (strcmp(state, "next") == 0)
		cli_output_pair(o, "Generation", "%d takes over at %s", number_of(g, "number"),
				begins);
	else
		cli_output_pair(o, "Generation", "%d is %s%s%s", number_of(g, "number"),
				strcmp(state, "old") == 0 ? "old" : "in charge",
				*begins ? ", since " : "", begins);
}

void ctl_ca_put(const struct cli_output *o, const json_t *ca)
{
	const json_t *part;
	size_t i;

	cli_output_pair(o, "Name", "%s", ctl_api_text(ca, "name"));
	cli_output_pair(o, "Created", "%s", ctl_api_text(ca, "created"));
	json_array_foreach(json_object_get(ca, "generations"), i, part) put_generation(o, part);
	json_array_foreach(json_object_get(ca, "certificates"), i, part) put_cert(o, part);
}

/* The certificate of that role; generation 0: of any, the latest. NULL: there is none. */
static const json_t *find_cert(const json_t *ca, const char *role, int generation)
{
	const json_t *cert, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(ca, "certificates"), i, cert)
	{
		if (strcmp(ctl_api_text(cert, "role"), role) == 0 &&
		    (!generation || number_of(cert, "generation") == generation))
			found = cert;
	}
	return found;
}

const char *ctl_ca_request(const json_t *ca)
{
	const json_t *g;
	size_t i;

	json_array_foreach(json_object_get(ca, "generations"), i, g)
	{
		if (json_object_get(g, "request"))
			return ctl_api_text(g, "request");
	}
	return "";
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
	bool subordinate;
	const char *out;
};

#define OPT(name, kind, field, value, help, ...)                                                   \
	{                                                                                          \
		name, kind, offsetof(struct init_opts, field), value, help, ##__VA_ARGS__          \
	}

static const struct cli_option init_options[] = {
	OPT("NAME", CLI_ARG, name, NULL, "as endpoints call it: a-z, 0-9 and -"),
	OPT("--subject", CLI_TEXT, subject, "DN", "of the CA certificate; default CN=NAME"),
	OPT("--key", CLI_TEXT, key, "TYPE",
	    "of the CA: p256 (default), p384, p521, rsa2048, rsa3072, rsa4096, ed25519; with "
	    "OpenSSL 3.5 ml-dsa-44, ml-dsa-65, ml-dsa-87",
	    .choices = CTL_KEY_TYPES),
	OPT("--key-store", CLI_TEXT, key_store, "WHERE",
	    "the CA's key is, or is to be: file, tpm: or a pkcs11: URI; default as configured",
	    .choices = "file tpm: pkcs11:"),
	OPT("--validity", CLI_TEXT, validity, "TIME", "of the CA certificate; default 10y"),
	OPT("--leaf-validity", CLI_TEXT, leaf_validity, "TIME",
	    "the longest that a device's certificate may last; default 2y"),
	OPT("--ra", CLI_TEXT, ra, "HOW",
	    "registration authority, which speaks SCEP for the CA: one (default), split or none",
	    .choices = "one split none"),
	OPT("--ra-key", CLI_TEXT, ra_key, "TYPE", "of the RA: rsa2048 (default), rsa3072, rsa4096",
	    .choices = "rsa2048 rsa3072 rsa4096"),
	OPT("--ra-key-store", CLI_TEXT, ra_key_store, "WHERE", "the same for the RA's key",
	    .choices = "file tpm: pkcs11:"),
	OPT("--ra-validity", CLI_TEXT, ra_validity, "TIME",
	    "of the RA certificates; default as the CA's"),
	OPT("--subordinate", CLI_FLAG, subordinate, NULL,
	    "another CA signs its certificate: write a request for it"),
	OPT("--out", CLI_TEXT, out, "FILE",
	    "with --subordinate: where to write the request; default standard output"),
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
	if (o->subordinate)
		(void)json_object_set_new(body, "subordinate", json_true());
	return body;
}

static RESULT put_request(const struct cli *cli, const struct init_opts *o, const json_t *ca,
			  struct err *err)
{
	TRY(cli_output_bytes(&cli->out, o->out, span_str(ctl_ca_request(ca)), err));
	if (o->out)
		cli_output_line(&cli->out, CLI_GREEN,
				"%s: have it signed, then: scepterctl ca import %s --chain FILE",
				o->out, o->name);
	return OK;
}

static enum result run_init(struct cli *cli, const void *opts, struct err *err)
{
	const struct init_opts *o = opts;
	CLEANUP_JSON body = init_request(opts);
	CLEANUP_JSON answer = NULL;

	if (o->out && !o->subordinate)
		return err_set(err, ERR_USAGE,
			       "--out goes with --subordinate; \"scepterctl ca show %s --pem\" "
			       "writes a certificate",
			       o->name);
	TRY(ctl_api_post_long(cli, "making the keys", "/v1/cas", body, &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	if (o->subordinate)
		return put_request(cli, o, answer, err);
	ctl_ca_put(&cli->out, answer);
	if (cli->out.terminal)
		cli_output_line(&cli->out, CLI_GREEN,
				"Ready. Next: scepterctl challenge new, for the first device.");
	return OK;
}

/* ---- list ---- */

static const struct cli_option list_options[] = { CTL_LIST_PAGE, { 0 } };

/* "2027-01-31T12:00:00Z"; "" where no generation follows. */
static const char *next_of(const json_t *ca)
{
	const json_t *g;
	size_t i;

	json_array_foreach(json_object_get(ca, "generations"), i, g)
	{
		const char *state = ctl_api_text(g, "state");

		if (strcmp(state, "next") == 0)
			return ctl_api_text(g, "begins");
		if (strcmp(state, "awaits-certificate") == 0)
			return "awaits certificate";
	}
	return "";
}

static void put_row(struct cli_table *t, const json_t *ca)
{
	int generation = number_of(ca, "generation");
	const json_t *own = find_cert(ca, "ca", generation);
	const char *ra = find_cert(ca, "ra", 0)        ? "one"
			 : find_cert(ca, "ra-sign", 0) ? "split"
						       : "none";
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", generation);
	cli_table_put(t, ctl_api_text(ca, "name"));
	cli_table_put(t, ctl_api_text(own, "subject"));
	cli_table_put(t, ctl_api_text(own, "key"));
	cli_table_put(t, generation ? number : "");
	cli_table_put(t, ctl_api_text(own, "not_after"));
	cli_table_put(t, ra);
	cli_table_put(t, next_of(ca));
}

static RESULT put_list(const struct cli *cli, const json_t *list, struct err *err)
{
	CLEANUP(cli_table_clear)
	struct cli_table t = {
		{ "NAME", "SUBJECT", "KEY", "GENERATION", "NOT AFTER", "RA", "NEXT" }, 7
	};
	const json_t *ca;
	size_t i;

	json_array_foreach(list, i, ca) put_row(&t, ca);
	return cli_table_print(&t, &cli->out, "no CA yet: scepterctl ca init NAME", err);
}

static enum result run_list(struct cli *cli, const void *opts, struct err *err)
{
	static const struct ctl_list_shown shown = { "cas", put_list };

	return ctl_list_run(cli, "/v1/cas", opts, &shown, err);
}

/* ---- show ---- */

struct show_opts {
	const char *name;
	bool pem;
	const char *role;
	unsigned generation;
};

static const struct cli_option show_options[] = {
	{ "NAME", CLI_ARG, offsetof(struct show_opts, name), NULL, "of the CA" },
	{ "--pem", CLI_FLAG, offsetof(struct show_opts, pem), NULL,
	  "one certificate alone, in PEM: the CA's, of the generation in charge" },
	{ "--role", CLI_TEXT, offsetof(struct show_opts, role), "ROLE",
	  "with --pem: ca, ra, ra-sign, ra-encrypt, ocsp, new-with-old or old-with-new",
	  .choices = "ca ra ra-sign ra-encrypt ocsp new-with-old old-with-new" },
	{ "--generation", CLI_NUMBER, offsetof(struct show_opts, generation), "N",
	  "with --pem: of that generation; a cross certificate is of the new one" },
	{ 0 },
};

static RESULT no_such_cert(const char *ca, const char *role, int generation, struct err *err)
{
	char of[32] = "";

	if (generation)
		(void)snprintf(of, sizeof(of), " and generation %d", generation);
	return err_set(err, ERR_NOT_FOUND,
		       "CA \"%s\" has no certificate of role \"%s\"%s; scepterctl ca show %s lists "
		       "what it has",
		       ca, role, of, ca);
}

/* Cross certificates are made before the generation that they are of is in charge. */
static RESULT put_pem(const struct cli *cli, const struct show_opts *o, const json_t *ca,
		      struct err *err)
{
	const char *role = o->role ? o->role : "ca";
	bool cross = strstr(role, "-with-") != NULL;
	int generation = o->generation ? (int)o->generation
			 : cross       ? 0
				       : number_of(ca, "generation");
	const json_t *cert = find_cert(ca, role, generation);

	if (!cert || !*ctl_api_text(cert, "certificate"))
		return no_such_cert(o->name, role, generation, err);
	(void)fputs(ctl_api_text(cert, "certificate"), cli->out.file);
	return OK;
}

static enum result run_show(struct cli *cli, const void *opts, struct err *err)
{
	const struct show_opts *o = opts;
	CLEANUP_JSON answer = NULL;
	BUF path = BUF_INIT;

	if (!o->pem && (o->role || o->generation))
		return err_set(err, ERR_USAGE, "--role and --generation go with --pem");
	ctl_api_path(&path, "/v1/cas/", o->name);
	TRY(buf_check(&path, err));
	TRY(ctl_api_get(cli, buf_cstr(&path), &answer, err));
	if (o->pem)
		return put_pem(cli, o, answer, err);
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	ctl_ca_put(&cli->out, answer);
	return OK;
}

static const struct cli_command commands[] = {
	{ .name = "init",
	  .summary = "Make a CA: its keys, its certificate, and a registration authority.",
	  .examples = "scepterctl ca init demo --subject \"CN=Demo CA,O=Example\"\n"
		      "scepterctl ca init plant --key p384 --ra split --validity 20y "
		      "--leaf-validity 5y\n"
		      "scepterctl ca init old --key rsa3072 --ra none\n"
		      "scepterctl ca init vault --key p384 --key-store 'pkcs11:token=scepter'\n"
		      "scepterctl ca init plant --subordinate --out plant.csr\n",
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
		      "scepterctl ca show demo --pem > ca.pem\n"
		      "scepterctl ca show demo --pem --role new-with-old > cross.pem\n",
	  .options = show_options,
	  .opts_size = sizeof(struct show_opts),
	  .run = run_show },
	{ .name = "rollover",
	  .summary = "Make the next generation of a CA's keys, which takes over by itself; move "
		     "it or cancel it.",
	  .examples = "scepterctl ca rollover demo\n"
		      "scepterctl ca rollover demo --at 2027-01-31T12:00:00Z --key p384\n"
		      "scepterctl ca rollover demo --at +2m\n"
		      "scepterctl ca rollover demo --cancel\n",
	  .options = ctl_ca_rollover_options,
	  .opts_size = sizeof(struct ctl_ca_rollover),
	  .run = ctl_ca_run_rollover },
	{ .name = "request",
	  .summary = "Write the request for a certificate that another CA is to sign.",
	  .examples = "scepterctl ca request plant --out plant.csr\n",
	  .options = ctl_ca_ask_options,
	  .opts_size = sizeof(struct ctl_ca_ask),
	  .run = ctl_ca_run_ask },
	{ .name = "import",
	  .summary = "Take the certificate that another CA has signed, with the chain above it.",
	  .examples = "scepterctl ca import plant --chain plant-chain.pem\n",
	  .options = ctl_ca_import_options,
	  .opts_size = sizeof(struct ctl_ca_import),
	  .run = ctl_ca_run_import },
	{ 0 },
};

const struct cli_command ctl_ca = {
	.name = "ca",
	.summary = "Make, see and renew certification authorities.",
	.examples = "scepterctl ca init demo --subject \"CN=Demo CA,O=Example\"\n"
		    "scepterctl ca list\n"
		    "scepterctl ca show demo --pem > ca.pem\n"
		    "scepterctl ca rollover demo --at 2027-01-31T12:00:00Z\n",
	.sub = commands,
};
