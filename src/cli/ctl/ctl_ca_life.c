/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl ca: what a CA meets in its life: rollovers, and certificates from a CA above. */
#include "base/file.h"
#include "cli/ctl/ctl_ca.h"

#define CHAIN_FILE_MAX ((size_t)256 << 10)

static RESULT post(const struct cli *cli, const char *name, const char *what, const json_t *body,
		   json_t **answer, struct err *err)
{
	BUF path = BUF_INIT;

	ctl_api_path(&path, "/v1/cas/", name);
	buf_put_str(&path, what);
	TRY(buf_check(&path, err));
	return ctl_api_post_long(cli, "waiting for the server", buf_cstr(&path), body, answer, err);
}

static RESULT show(const struct cli *cli, const json_t *answer, struct err *err)
{
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	ctl_ca_put(&cli->out, answer);
	return OK;
}

/* ---- rollover ---- */

const struct cli_option ctl_ca_rollover_options[] = {
	{ "NAME", CLI_ARG, offsetof(struct ctl_ca_rollover, name), NULL, "of the CA" },
	{ "--at", CLI_TEXT, offsetof(struct ctl_ca_rollover, at), "TIME",
	  "when the next generation takes over: 2027-01-31T12:00:00Z, or +30d from now; default "
	  "when the CA certificate ends. One that is planned already is moved" },
	{ "--key", CLI_TEXT, offsetof(struct ctl_ca_rollover, key), "TYPE",
	  "of the next generation; default as now", .choices = CTL_KEY_TYPES },
	{ "--cancel", CLI_FLAG, offsetof(struct ctl_ca_rollover, cancel), NULL,
	  "the one that is planned does not come" },
	{ 0 },
};

/* Is one planned, or asked for at the CA above? */
static bool is_planned(const json_t *ca)
{
	const json_t *g;
	size_t i;

	json_array_foreach(json_object_get(ca, "generations"), i, g)
	{
		const char *state = ctl_api_text(g, "state");

		if (strcmp(state, "next") == 0 || (i && strcmp(state, "awaits-certificate") == 0))
			return true;
	}
	return false;
}

static RESULT cancel(const struct cli *cli, const struct ctl_ca_rollover *o, json_t **answer,
		     struct err *err)
{
	BUF path = BUF_INIT;

	if (o->at || o->key)
		return err_set(err, ERR_USAGE, "--cancel goes with neither --at nor --key");
	ctl_api_path(&path, "/v1/cas/", o->name);
	buf_put_str(&path, "/rollover");
	TRY(buf_check(&path, err));
	return ctl_api_delete(cli, buf_cstr(&path), answer, err);
}

/* Another time alone is for the one that is planned, if there is one. */
static RESULT where_to(const struct cli *cli, const struct ctl_ca_rollover *o, const char **out,
		       struct err *err)
{
	CLEANUP_JSON ca = NULL;
	BUF path = BUF_INIT;

	*out = "/rollover";
	if (!o->at || o->key)
		return OK;
	ctl_api_path(&path, "/v1/cas/", o->name);
	TRY(buf_check(&path, err));
	TRY(ctl_api_get(cli, buf_cstr(&path), &ca, err));
	if (is_planned(ca))
		*out = "/rollover/move";
	return OK;
}

static RESULT roll(const struct cli *cli, const struct ctl_ca_rollover *o, json_t **answer,
		   struct err *err)
{
	CLEANUP_JSON body = json_object();
	const char *where = NULL;

	TRY(where_to(cli, o, &where, err));
	ctl_api_set(body, "at", o->at);
	ctl_api_set(body, "key", o->key);
	return post(cli, o->name, where, body, answer, err);
}

enum result ctl_ca_run_rollover(struct cli *cli, const void *opts, struct err *err)
{
	const struct ctl_ca_rollover *o = opts;
	CLEANUP_JSON answer = NULL;
	const char *request;

	TRY(o->cancel ? cancel(cli, o, &answer, err) : roll(cli, o, &answer, err));
	TRY(show(cli, answer, err));
	request = ctl_ca_request(answer);
	if (*request && cli->out.terminal)
		cli_output_line(&cli->out, CLI_GREEN,
				"Another CA must sign the next certificate: scepterctl ca request "
				"%s, then ca import",
				o->name);
	return OK;
}

/* ---- request ---- */

const struct cli_option ctl_ca_ask_options[] = {
	{ "NAME", CLI_ARG, offsetof(struct ctl_ca_ask, name), NULL, "of the CA" },
	{ "--out", CLI_TEXT, offsetof(struct ctl_ca_ask, out), "FILE",
	  "where to write it (PEM); default standard output" },
	{ 0 },
};

enum result ctl_ca_run_ask(struct cli *cli, const void *opts, struct err *err)
{
	const struct ctl_ca_ask *o = opts;
	CLEANUP_JSON answer = NULL;
	BUF path = BUF_INIT;
	const char *request;

	ctl_api_path(&path, "/v1/cas/", o->name);
	TRY(buf_check(&path, err));
	TRY(ctl_api_get(cli, buf_cstr(&path), &answer, err));
	request = ctl_ca_request(answer);
	if (!*request)
		return err_set(err, ERR_NOT_FOUND, "CA \"%s\" awaits no certificate", o->name);
	return cli_output_bytes(&cli->out, o->out, span_str(request), err);
}

/* ---- import ---- */

const struct cli_option ctl_ca_import_options[] = {
	{ "NAME", CLI_ARG, offsetof(struct ctl_ca_import, name), NULL, "of the CA" },
	{ "--chain", CLI_TEXT, offsetof(struct ctl_ca_import, chain), "FILE",
	  "its certificate and those above it (PEM, in any order)", .required = true },
	{ 0 },
};

enum result ctl_ca_run_import(struct cli *cli, const void *opts, struct err *err)
{
	const struct ctl_ca_import *o = opts;
	CLEANUP_JSON body = json_object();
	CLEANUP_JSON answer = NULL;
	BUF chain = BUF_INIT;

	TRY(file_read(o->chain, CHAIN_FILE_MAX, &chain, err));
	if (span_find(buf_span(&chain), '\0') < chain.len)
		return err_set(err, ERR_USAGE, "%s: no PEM file", o->chain);
	if (!buf_cstr(&chain))
		return err_nomem(err);
	ctl_api_set(body, "chain", buf_cstr(&chain));
	TRY(post(cli, o->name, "/import", body, &answer, err));
	return show(cli, answer, err);
}
