/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl key: keys that are not certified (again). */
#include "base/file.h"
#include "base/hex.h"
#include "cli/ctl/ctl_key_file.h"
#include "cli/ctl/ctl_list.h"
#include "cli/ctl/ctl_show.h"

#define LIST_FILE_MAX ((size_t)256 << 20)
#define AT_ONCE 1000 /* that the server takes in one call */

/* ---- block ---- */

struct block_opts {
	const char *file;
	const char *sha256;
	const char *reason;
};

#define REASON                                                                                     \
	{                                                                                          \
		"--reason", CLI_TEXT, offsetof(struct block_opts, reason), "TEXT",                 \
		    "for people and the record; devices are not told", .required = true            \
	}

static const struct cli_option block_options[] = {
	{ "FILE", CLI_ARG_OPTIONAL, offsetof(struct block_opts, file), NULL,
	  "certificate, certificate request, public key or private key, PEM or DER" },
	{ "--sha256", CLI_TEXT, offsetof(struct block_opts, sha256), "HEX",
	  "of the SubjectPublicKeyInfo, instead of a file" },
	REASON,
	{ 0 },
};

static const struct cli_option import_options[] = {
	{ "FILE", CLI_ARG, offsetof(struct block_opts, file), NULL,
	  "SHA-256 of a SubjectPublicKeyInfo a line; - for standard input" },
	REASON,
	{ 0 },
};

static RESULT add_hash(json_t *list, const uint8_t hash[PUBKEY_HASH], struct err *err)
{
	BUF hex = BUF_INIT;

	hex_put(&hex, span_of(hash, PUBKEY_HASH));
	if (!buf_cstr(&hex) || json_array_append_new(list, json_string(buf_cstr(&hex))) != 0)
		return err_nomem(err);
	return OK;
}

static RESULT post(const struct cli *cli, json_t *list, const char *reason, json_t **answer,
		   struct err *err)
{
	CLEANUP_JSON body = json_pack("{s:O, s:s}", "sha256", list, "reason", reason);

	if (!body)
		return err_set(err, ERR_USAGE, "--reason is not UTF-8 text");
	return ctl_api_post(cli, "/v1/blocked-keys", body, answer, err);
}

static RESULT put_one(const struct block_opts *o, json_t *list, struct err *err)
{
	uint8_t hash[PUBKEY_HASH];

	if (!o->file == !o->sha256)
		return err_set(err, ERR_USAGE, "give a FILE, or --sha256");
	if (o->sha256)
		return json_array_append_new(list, json_string(o->sha256)) == 0 ? OK
										: err_nomem(err);
	TRY(ctl_key_file_hash(o->file, hash, err));
	return add_hash(list, hash, err);
}

static enum result run_block(struct cli *cli, const void *opts, struct err *err)
{
	const struct block_opts *o = opts;
	CLEANUP_JSON list = json_array();
	CLEANUP_JSON answer = NULL;

	TRY(put_one(o, list, err));
	TRY(post(cli, list, o->reason, &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	cli_output_line(
	    &cli->out, CLI_GREEN, "key %s %s", json_string_value(json_array_get(list, 0)),
	    json_integer_value(json_object_get(answer, "added")) ? "is blocked"
								 : "was blocked before");
	return OK;
}

/* ---- import ---- */

struct counts {
	json_int_t added;
	json_int_t kept;
};

/* Sends what has gathered, and empties it. */
static RESULT flush(const struct cli *cli, json_t *list, const char *reason, struct counts *n,
		    struct err *err)
{
	CLEANUP_JSON answer = NULL;

	if (json_array_size(list) == 0)
		return OK;
	TRY(post(cli, list, reason, &answer, err));
	n->added += json_integer_value(json_object_get(answer, "added"));
	n->kept += json_integer_value(json_object_get(answer, "kept"));
	(void)json_array_clear(list);
	return OK;
}

/* cli NULL: whether the whole file can be read, before any of it is sent. */
static RESULT import(const struct cli *cli, const struct block_opts *o, struct span text,
		     struct counts *n, struct err *err)
{
	CLEANUP_JSON list = json_array();
	uint8_t hash[PUBKEY_HASH];
	size_t line = 0;
	bool found;

	for (;;) {
		TRY(err_prefix(err, ctl_key_file_next(&text, &line, hash, &found, err), "%s",
			       o->file));
		if (!found)
			break;
		if (!cli)
			continue;
		TRY(add_hash(list, hash, err));
		if (json_array_size(list) < AT_ONCE)
			continue;
		TRY(flush(cli, list, o->reason, n, err));
		cli_output_progress("%s: %zu lines imported", o->file, line);
	}
	return cli ? flush(cli, list, o->reason, n, err) : OK;
}

static enum result run_import(struct cli *cli, const void *opts, struct err *err)
{
	const struct block_opts *o = opts;
	struct counts n = { 0 };
	BUF text = BUF_INIT;
	enum result r;

	TRY(file_read(strcmp(o->file, "-") == 0 ? "/dev/stdin" : o->file, LIST_FILE_MAX, &text,
		      err));
	TRY(import(NULL, o, buf_span(&text), NULL, err));
	r = import(cli, o, buf_span(&text), &n, err);
	cli_output_progress_end();
	if (r != OK)
		return r;
	if (cli->out.json) {
		CLEANUP_JSON answer = json_pack("{s:I, s:I}", "added", n.added, "kept", n.kept);

		return cli_output_json(&cli->out, answer, err);
	}
	cli_output_line(&cli->out, CLI_GREEN, "%lld keys blocked, %lld were before",
			(long long)n.added, (long long)n.kept);
	return OK;
}

/* ---- list ---- */

static const struct cli_option list_options[] = { CTL_LIST_PAGE, { 0 } };

static RESULT put_list(const struct cli *cli, const json_t *list, struct err *err)
{
	CLEANUP(cli_table_clear)
	struct cli_table t = { { "SHA-256", "BLOCKED", "BY", "SERIAL", "REASON" }, 5 };
	const json_t *k;
	size_t i;

	json_array_foreach(list, i, k)
	{
		cli_table_put(&t, ctl_api_text(k, "sha256"));
		cli_table_put(&t, ctl_api_text(k, "blocked"));
		cli_table_put(&t, ctl_api_text(k, "blocked_by"));
		cli_table_put(&t, ctl_api_text(k, "serial"));
		cli_table_put(&t, ctl_api_text(k, "reason"));
	}
	return cli_table_print(&t, &cli->out, "no key is blocked", err);
}

static enum result run_list(struct cli *cli, const void *opts, struct err *err)
{
	static const struct ctl_list_shown shown = { "keys", put_list };

	return ctl_list_run(cli, "/v1/blocked-keys", opts, &shown, err);
}

/* ---- one ---- */

static const struct cli_option one_options[] = {
	{ "FILE", CLI_ARG_OPTIONAL, offsetof(struct block_opts, file), NULL,
	  "certificate, certificate request, public key or private key, PEM or DER" },
	{ "--sha256", CLI_TEXT, offsetof(struct block_opts, sha256), "HEX",
	  "as \"key list\" shows it, instead of a file" },
	{ 0 },
};

static RESULT key_path(const struct block_opts *o, struct buf *path, struct err *err)
{
	CLEANUP_JSON list = json_array();

	TRY(put_one(o, list, err));
	ctl_api_path(path, "/v1/blocked-keys/", json_string_value(json_array_get(list, 0)));
	return buf_cstr(path) ? OK : err_nomem(err);
}

static enum result run_show(struct cli *cli, const void *opts, struct err *err)
{
	static const struct ctl_field fields[] = {
		{ "SHA-256", "sha256" }, { "Blocked", "blocked" }, { "By", "blocked_by" },
		{ "Reason", "reason" },  { "CA", "ca" },           { "Serial", "serial" },
	};
	BUF path = BUF_INIT;

	TRY(key_path(opts, &path, err));
	return ctl_show_run(cli, buf_cstr(&path), fields, ARRAY_LEN(fields), err);
}

static enum result run_unblock(struct cli *cli, const void *opts, struct err *err)
{
	CLEANUP_JSON answer = NULL;
	BUF path = BUF_INIT;

	TRY(key_path(opts, &path, err));
	TRY(ctl_api_delete(cli, buf_cstr(&path), &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	cli_output_line(&cli->out, CLI_PLAIN, "key %s may be certified again",
			ctl_api_text(answer, "sha256"));
	return OK;
}

static const struct cli_command commands[] = {
	{ .name = "block",
	  .summary = "Have a key never certified (again), and not taken for anybody's proof.",
	  .examples = "scepterctl key block leaked.key --reason \"found in a firmware image\"\n"
		      "scepterctl key block router7.pem --reason \"router stolen\"\n",
	  .options = block_options,
	  .opts_size = sizeof(struct block_opts),
	  .run = run_block },
	{ .name = "import",
	  .summary = "Block many keys: a file of SHA-256 hashes, one a line.",
	  .examples = "scepterctl key import weak-keys.txt --reason \"weak generator\"\n",
	  .options = import_options,
	  .opts_size = sizeof(struct block_opts),
	  .run = run_import },
	{ .name = "list",
	  .summary = "Show blocked keys, in the order of their hashes.",
	  .examples = "scepterctl key list --limit 20\n",
	  .options = list_options,
	  .opts_size = sizeof(struct ctl_list),
	  .run = run_list },
	{ .name = "show",
	  .summary = "Show whether a key is blocked, since when, by whom and why.",
	  .examples = "scepterctl key show router7.pem\n",
	  .options = one_options,
	  .opts_size = sizeof(struct block_opts),
	  .run = run_show },
	{ .name = "unblock",
	  .summary = "Let a key be certified again; what is revoked stays revoked.",
	  .examples = "scepterctl key unblock router7.pem\n",
	  .options = one_options,
	  .opts_size = sizeof(struct block_opts),
	  .run = run_unblock },
	{ 0 },
};

const struct cli_command ctl_key = {
	.name = "key",
	.summary = "Say which keys are compromised, and get no certificate.",
	.examples = "scepterctl key block leaked.key --reason \"found in a firmware image\"\n"
		    "scepterctl key list\n",
	.sub = commands,
};
