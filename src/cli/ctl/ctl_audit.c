/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl audit: the record of every decision. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/verify.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/ctl/ctl_audit_export.h"
#include "cli/ctl/ctl_list.h"
#include "pki/pem.h"

#define PEM_MAX 65536

/* ---- tail ---- */

struct tail_opts {
	const char *limit;
	bool follow;
};

static const struct cli_option tail_options[] = {
	{ "--limit", CLI_TEXT, offsetof(struct tail_opts, limit), "N", "at most; default 20" },
	{ "--follow", CLI_FLAG, offsetof(struct tail_opts, follow), NULL,
	  "go on with the events that come; Ctrl-C ends" },
	{ 0 },
};

static bool is_bad(const char *kind)
{
	static const char *const words[] = { "rejected", "refused", "denied", "anomaly" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++)
		if (strstr(kind, words[i]))
			return true;
	return false;
}

static void put_event(struct cli_table *t, const json_t *e)
{
	const char *kind = ctl_api_text(e, "kind");

	ctl_list_put_number(t, e, "id");
	cli_table_put(t, ctl_api_text(e, "time"));
	cli_table_put_colour(t, is_bad(kind) ? CLI_RED : CLI_PLAIN, kind);
	cli_table_put(t, ctl_api_text(e, "endpoint"));
	cli_table_put(t, ctl_api_text(e, "actor"));
	cli_table_put(t, ctl_api_text(e, "reason"));
}

/* With --json a line each, so that a pipe can follow, too. */
static RESULT put_events(const struct cli *cli, struct cli_table *t, const json_t *answer,
			 struct err *err)
{
	const json_t *event;
	size_t i;

	json_array_foreach(json_object_get(answer, "events"), i, event)
	{
		if (cli->out.json)
			TRY(cli_output_json(&cli->out, event, err));
		else
			put_event(t, event);
	}
	TRY(cli_table_print(t, &cli->out, NULL, err));
	if (fflush(cli->out.file))
		return err_errno(err, errno, "standard output");
	return OK;
}

static RESULT fetch(const struct cli *cli, struct buf *path, json_t **answer, struct err *err)
{
	TRY(buf_check(path, err));
	return ctl_api_get(cli, buf_cstr(path), answer, err);
}

/* position: the cursor to begin at; "" where the record was empty. */
static RESULT follow(const struct cli *cli, struct cli_table *t, const char *position,
		     struct err *err)
{
	BUF cursor = BUF_INIT;

	buf_put_str(&cursor, position);
	for (;;) {
		CLEANUP_JSON answer = NULL;
		BUF path = BUF_INIT;

		buf_put_str(&path, "/v1/audit/events?limit=1000");
		ctl_api_query(&path, "cursor", cursor.len ? buf_cstr(&cursor) : NULL);
		TRY(fetch(cli, &path, &answer, err));
		TRY(put_events(cli, t, answer, err));
		buf_reset(&cursor);
		buf_put_str(&cursor, ctl_api_text(answer, "position"));
		(void)sleep(1);
	}
}

static enum result run_tail(struct cli *cli, const void *opts, struct err *err)
{
	CLEANUP(cli_table_clear)
	struct cli_table t = { { "EVENT", "TIME", "KIND", "ENDPOINT", "BY", "WHAT" }, 6 };
	const struct tail_opts *o = opts;
	CLEANUP_JSON answer = NULL;
	BUF path = BUF_INIT;

	buf_put_str(&path, "/v1/audit/events?newest=1");
	ctl_api_query(&path, "limit", o->limit ? o->limit : "20");
	TRY(fetch(cli, &path, &answer, err));
	TRY(put_events(cli, &t, answer, err));
	if (!o->follow)
		return OK;
	return follow(cli, &t, ctl_api_text(answer, "position"), err);
}

/* ---- key ---- */

static RESULT fetch_key(const struct cli *cli, json_t **answer, struct err *err)
{
	return ctl_api_get(cli, "/v1/audit/key", answer, err);
}

static enum result run_key(struct cli *cli, UNUSED const void *opts, struct err *err)
{
	CLEANUP_JSON answer = NULL;

	TRY(fetch_key(cli, &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	(void)fputs(ctl_api_text(answer, "public_key"), cli->out.file);
	return OK;
}

/* ---- export ---- */

struct export_opts {
	const char *file;
	const char *from;
	const char *to;
};

static const struct cli_option export_options[] = {
	{ "FILE", CLI_ARG, offsetof(struct export_opts, file), NULL,
	  "where to write it; - is standard output" },
	{ "--from", CLI_TEXT, offsetof(struct export_opts, from), "WHEN",
	  "first event: its number, a day (2026-11-21) or a moment (2026-11-21T20:44:00Z)" },
	{ "--to", CLI_TEXT, offsetof(struct export_opts, to), "WHEN",
	  "last event, in the same way; a day is meant whole" },
	{ 0 },
};

static enum result write_line(void *ctx, struct span line, struct err *err)
{
	FILE *f = ctx;

	if (fwrite(line.p, 1, line.len, f) != line.len || fputc('\n', f) == EOF)
		return err_errno(err, errno, "cannot write");
	return OK;
}

static RESULT close_file(FILE *f, struct err *err)
{
	bool failed = fflush(f) != 0 || fsync(fileno(f)) != 0;
	int why = errno;

	if (fclose(f) != 0 && !failed) {
		failed = true;
		why = errno;
	}
	return failed ? err_errno(err, why, "cannot write") : OK;
}

/* Beside its place first: half an export is none. */
static RESULT export_to_file(const struct cli *cli, const struct export_opts *o, struct err *err)
{
	BUF beside = BUF_INIT;
	enum result r, closed;
	const char *path;
	FILE *f;
	int fd;

	buf_printf(&beside, "%s.tmp", o->file);
	path = buf_cstr(&beside);
	TRY(buf_check(&beside, err));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f)
		return err_errno(err, errno, "%s: cannot be written", o->file);
	r = ctl_audit_export(cli, o->from, o->to, write_line, f, err);
	closed = close_file(f, r == OK ? err : NULL);
	r = r == OK ? closed : r;
	if (r == OK && rename(path, o->file) != 0)
		r = err_errno(err, errno, "rename");
	if (r == OK)
		return OK;
	(void)unlink(path);
	return err_prefix(err, r, "%s", o->file);
}

static enum result run_export(struct cli *cli, const void *opts, struct err *err)
{
	const struct export_opts *o = opts;

	if (strcmp(o->file, "-") == 0)
		return ctl_audit_export(cli, o->from, o->to, write_line, cli->out.file, err);
	return export_to_file(cli, o, err);
}

/* ---- verify ---- */

struct verify_opts {
	const char *file;
	const char *key;
};

static const struct cli_option verify_options[] = {
	{ "FILE", CLI_ARG_OPTIONAL, offsetof(struct verify_opts, file), NULL,
	  "an export; the server is not asked then. Without: the server's events" },
	{ "--public-key", CLI_TEXT, offsetof(struct verify_opts, key), "PEM",
	  "file with the key of the seals, as \"audit key\" gave it; needed with FILE" },
	{ 0 },
};

static enum result verify_line(void *ctx, struct span line, struct err *err)
{
	return audit_verify_line(ctx, line, err);
}

static RESULT verify_file(const char *path, struct audit_verify *v, struct err *err)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	enum result r = OK;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	if (!f)
		return err_errno(err, errno, "%s", path);
	while (r == OK && (n = getline(&line, &room, f)) > 0) {
		if (line[n - 1] != '\n')
			r = err_set(err, ERR_BAD_CHECK, "the last line has no end: cut off");
		else
			r = audit_verify_line(v, span_of(line, (size_t)n - 1), err);
	}
	if (r == OK && ferror(f))
		r = err_errno(err, errno, "%s", path);
	free(line);
	if (f != stdin)
		(void)fclose(f);
	return r;
}

static RESULT read_key(struct cli *cli, const struct verify_opts *o, struct buf *spki,
		       struct err *err)
{
	CLEANUP_JSON answer = NULL;
	BUF file = BUF_INIT;
	struct span pem;

	if (o->key) {
		TRY(file_read(o->key, PEM_MAX, &file, err));
		pem = buf_span(&file);
	} else {
		TRY(fetch_key(cli, &answer, err));
		pem = span_str(ctl_api_text(answer, "public_key"));
	}
	return pem_next(&pem, "PUBLIC KEY", spki, err);
}

static RESULT put_report(const struct cli *cli, const struct audit_report *r, struct err *err)
{
	char at[CLOCK_TEXT_MAX];
	CLEANUP_JSON value = NULL;

	clock_format(r->sealed_at, at);
	value = json_pack("{s:b, s:I, s:I, s:s, s:i, s:i}", "good", 1, "first",
			  (json_int_t)r->first, "last", (json_int_t)r->last, "sealed_at", at,
			  "checkpoints", (int)r->checkpoints, "unchecked", (int)r->unchecked);
	if (cli->out.json)
		return cli_output_json(&cli->out, value, err);
	cli_output_line(&cli->out, CLI_GREEN,
			"events %lld to %lld are as they were written; sealed at %s",
			(long long)r->first, (long long)r->last, at);
	cli_output_pair(&cli->out, "Checkpoints", "%u hold", r->checkpoints);
	if (r->unchecked)
		cli_output_pair(&cli->out, "Not checked",
				"%u of another key, or of events before the first", r->unchecked);
	return OK;
}

static enum result run_verify(struct cli *cli, const void *opts, struct err *err)
{
	const struct verify_opts *o = opts;
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	CLEANUP(audit_verify_freep) struct audit_verify *v = NULL;
	struct audit_report report;
	BUF spki = BUF_INIT;

	if (o->file && !o->key)
		return err_set(err, ERR_USAGE,
			       "--public-key: an export is verified with a key from elsewhere; "
			       "\"scepterctl audit key\" prints the server's");
	TRY(read_key(cli, o, &spki, err));
	TRY(crypto_new(&c, false, err));
	TRY(audit_verify_new(&v, c, buf_span(&spki), err));
	if (o->file)
		TRY(verify_file(o->file, v, err));
	else
		TRY(ctl_audit_export(cli, NULL, NULL, verify_line, v, err));
	TRY(audit_verify_end(v, &report, err));
	return put_report(cli, &report, err);
}

static const struct cli_command commands[] = {
	{ .name = "tail",
	  .summary = "Show the latest events.",
	  .examples = "scepterctl audit tail\n"
		      "scepterctl audit tail --follow --json\n",
	  .options = tail_options,
	  .opts_size = sizeof(struct tail_opts),
	  .run = run_tail },
	{ .name = "export",
	  .summary = "Write events to a file that anyone with the public key can verify.",
	  .examples = "scepterctl audit export audit.jsonl\n"
		      "scepterctl audit export --from 2026-11-01 --to 2026-11-30 november.jsonl\n",
	  .options = export_options,
	  .opts_size = sizeof(struct export_opts),
	  .run = run_export },
	{ .name = "verify",
	  .summary = "Find any event that was changed, left out or moved.",
	  .examples = "scepterctl audit verify\n"
		      "scepterctl audit verify audit.jsonl --public-key audit.pem\n",
	  .options = verify_options,
	  .opts_size = sizeof(struct verify_opts),
	  .run = run_verify },
	{ .name = "key",
	  .summary = "Print the public key of the seals, to be kept elsewhere.",
	  .examples = "scepterctl audit key > audit.pem\n",
	  .run = run_key },
	{ 0 },
};

const struct cli_command ctl_audit = {
	.name = "audit",
	.summary = "See, export and verify the record of every decision.",
	.examples = "scepterctl audit tail\n"
		    "scepterctl audit export audit.jsonl\n"
		    "scepterctl audit verify audit.jsonl --public-key audit.pem\n",
	.sub = commands,
};
