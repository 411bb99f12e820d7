/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl challenge: the passwords that devices enrol with. */
#include <unistd.h>

#include "base/terminal.h"
#include "ca/challenge.h"
#include "cli/ctl/ctl_list.h"

#define CHALLENGE_MAX 16384

/* ---- new ---- */

struct new_opts {
	const char *endpoint;
	const char *lifetime;
	const char *subject;
	struct cli_list sans;
};

static const struct cli_option new_options[] = {
	{ "--endpoint", CLI_TEXT, offsetof(struct new_opts, endpoint), "NAME",
	  "the only endpoint that takes it; default any" },
	{ "--lifetime", CLI_TEXT, offsetof(struct new_opts, lifetime), "TIME",
	  "until it expires: 30m, 12h, 7d; default 1d" },
	{ "--subject", CLI_TEXT, offsetof(struct new_opts, subject), "DN",
	  "the only subject that it is good for" },
	{ "--san", CLI_LIST, offsetof(struct new_opts, sans), "TYPE:VALUE",
	  "the only alternative names that it is good for; may be repeated" },
	{ 0 },
};

static json_t *new_request(const struct new_opts *o)
{
	json_t *body = json_object(), *sans;
	size_t i;

	ctl_api_set(body, "endpoint", o->endpoint);
	ctl_api_set(body, "lifetime", o->lifetime);
	ctl_api_set(body, "subject", o->subject);
	if (o->sans.n == 0)
		return body;
	sans = json_array();
	for (i = 0; i < o->sans.n; i++)
		(void)json_array_append_new(sans, json_string(o->sans.v[i]));
	(void)json_object_set_new(body, "san", sans);
	return body;
}

/* In a pipe the challenge alone, so that CHALLENGE=$(scepterctl challenge new) works. */
static enum result run_new(struct cli *cli, const void *opts, struct err *err)
{
	CLEANUP_JSON body = new_request(opts);
	CLEANUP_JSON answer = NULL;

	TRY(ctl_api_post(cli, "/v1/challenges", body, &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	if (!cli->out.terminal) {
		cli_output_line(&cli->out, CLI_PLAIN, "%s", ctl_api_text(answer, "challenge"));
		return OK;
	}
	cli_output_pair(&cli->out, "Challenge", "%s", ctl_api_text(answer, "challenge"));
	cli_output_pair(&cli->out, "Handle", "%s", ctl_api_text(answer, "id"));
	cli_output_pair(&cli->out, "Expires", "%s", ctl_api_text(answer, "expires"));
	cli_output_line(&cli->out, CLI_DIM, "It is shown this once: the server keeps its hash.");
	return OK;
}

/* ---- list ---- */

static const struct cli_option list_options[] = {
	CTL_LIST_ALL("used, revoked and expired ones too"),
	CTL_LIST_PAGE,
	{ 0 },
};

static RESULT put_list(const struct cli *cli, const json_t *list, struct err *err)
{
	CLEANUP(cli_table_clear)
	struct cli_table t = { { "HANDLE", "STATE", "USE", "ENDPOINT", "EXPIRES", "MADE BY",
				 "SOURCE", "SUBJECT" },
			       8 };
	const json_t *c;
	size_t i;

	json_array_foreach(list, i, c)
	{
		cli_table_put(&t, ctl_api_text(c, "id"));
		ctl_list_put_state(&t, ctl_api_text(c, "state"));
		cli_table_put(&t, json_is_true(json_object_get(c, "reusable")) ? "many" : "once");
		cli_table_put(&t,
			      *ctl_api_text(c, "endpoint") ? ctl_api_text(c, "endpoint") : "any");
		cli_table_put(&t, ctl_api_text(c, "expires"));
		cli_table_put(&t, ctl_api_text(c, "created_by"));
		cli_table_put(&t, ctl_api_text(c, "source"));
		cli_table_put(&t, *ctl_api_text(c, "subject") ? ctl_api_text(c, "subject") : "any");
	}
	return cli_table_print(&t, &cli->out, "no challenge is open: scepterctl challenge new",
			       err);
}

static enum result run_list(struct cli *cli, const void *opts, struct err *err)
{
	static const struct ctl_list_shown shown = { "challenges", put_list };

	return ctl_list_run(cli, "/v1/challenges", opts, &shown, err);
}

/* ---- revoke ---- */

struct revoke_opts {
	const char *id;
};

static const struct cli_option revoke_options[] = {
	{ "HANDLE", CLI_ARG, offsetof(struct revoke_opts, id), NULL,
	  "as \"challenge list\" shows it; not the challenge itself" },
	{ 0 },
};

static enum result run_revoke(struct cli *cli, const void *opts, struct err *err)
{
	const struct revoke_opts *o = opts;
	CLEANUP_JSON answer = NULL;
	BUF path = BUF_INIT;

	ctl_api_path(&path, "/v1/challenges/", o->id);
	TRY(buf_check(&path, err));
	TRY(ctl_api_delete(cli, buf_cstr(&path), &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	cli_output_line(&cli->out, CLI_PLAIN, "challenge %s is revoked", o->id);
	return OK;
}

/* ---- hash ---- */

struct hash_opts {
	const char *file;
};

static const struct cli_option hash_options[] = {
	{ "--challenge-file", CLI_TEXT, offsetof(struct hash_opts, file), "FILE",
	  "whose first line is the challenge; default standard input" },
	{ 0 },
};

/* Twice: nobody can see in the hash what was mistyped. */
static RESULT read_typed(struct secret *out, struct err *err)
{
	SECRET again = SECRET_INIT;

	TRY(terminal_ask("Challenge: ", out, err));
	if (secret_span(out).len == 0)
		return err_set(err, ERR_SYNTAX, "the challenge is empty");
	TRY(terminal_ask("Once more: ", &again, err));
	if (!secret_eq(&again, secret_span(out)))
		return err_set(err, ERR_SYNTAX, "the two are not the same; start again");
	return OK;
}

static enum result run_hash(struct cli *cli, const void *opts, struct err *err)
{
	const struct hash_opts *o = opts;
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	CLEANUP_JSON value = NULL;
	SECRET challenge = SECRET_INIT;
	BUF text = BUF_INIT;

	if (!o->file && isatty(STDIN_FILENO))
		TRY(read_typed(&challenge, err));
	else
		TRY(secret_read_file(&challenge, o->file ? o->file : "-", CHALLENGE_MAX, err));
	TRY(crypto_new(&c, false, err));
	TRY(challenge_hash_static(c, &challenge, &text, err));
	if (!buf_cstr(&text))
		return err_nomem(err);
	value = json_pack("{s:s}", "hash", (const char *)text.data);
	if (cli->out.json)
		return cli_output_json(&cli->out, value, err);
	cli_output_line(&cli->out, CLI_PLAIN, "%s", (const char *)text.data);
	return OK;
}

static const struct cli_command commands[] = {
	{ .name = "new",
	  .summary = "Make a one-time challenge for a device.",
	  .examples = "scepterctl challenge new\n"
		      "scepterctl challenge new --endpoint demo --lifetime 7d --subject "
		      "\"CN=router7,O=Example\" --san DNS:router7.example\n"
		      "scepterctl challenge new > challenge\n",
	  .options = new_options,
	  .opts_size = sizeof(struct new_opts),
	  .run = run_new },
	{ .name = "list",
	  .summary = "List the challenges that can still be used.",
	  .examples = "scepterctl challenge list\n"
		      "scepterctl challenge list --all --json\n",
	  .options = list_options,
	  .opts_size = sizeof(struct ctl_list),
	  .run = run_list },
	{ .name = "revoke",
	  .summary = "Make a challenge unusable.",
	  .examples = "scepterctl challenge revoke 6a20b1f0a3c4d5e6\n",
	  .options = revoke_options,
	  .opts_size = sizeof(struct revoke_opts),
	  .run = run_revoke },
	{ .name = "hash",
	  .summary = "Hash a static challenge for the configuration; the server is not asked.",
	  .examples = "scepterctl challenge hash\n"
		      "scepterctl challenge hash --challenge-file secret.txt\n",
	  .options = hash_options,
	  .opts_size = sizeof(struct hash_opts),
	  .run = run_hash },
	{ 0 },
};

const struct cli_command ctl_challenge = {
	.name = "challenge",
	.summary = "Make, see and revoke the challenges that devices enrol with.",
	.examples = "scepterctl challenge new --endpoint demo\n"
		    "scepterctl challenge list --all\n",
	.sub = commands,
};
