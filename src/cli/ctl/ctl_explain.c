/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl explain: why did this device get a certificate, or none? */
#include "cli/ctl/commands.h"

struct opts {
	const char *transaction;
};

static const struct cli_option options[] = {
	{ "TRANSACTION", CLI_ARG, offsetof(struct opts, transaction), NULL,
	  "transactionID as the log shows it, or its octets in hexadecimal" },
	{ 0 },
};

#define STEP_WIDTH 21

static void put_step(const struct cli_output *o, const json_t *step)
{
	bool ok = json_is_true(json_object_get(step, "ok"));
	const char *name = ctl_api_text(step, "step");
	int gap = STEP_WIDTH - (int)strlen(name);

	(void)fputs("  ", o->file);
	cli_output_text(o, ok ? CLI_GREEN : CLI_RED, ok ? "ok    " : "FAILED");
	(void)fputs("  ", o->file);
	cli_output_text(o, CLI_BOLD, name);
	(void)fprintf(o->file, "%*s", gap > 1 ? gap : 1, "");
	cli_output_line(o, CLI_PLAIN, "%s", ctl_api_text(step, "text"));
}

static void put_event(const struct cli_output *o, const json_t *event)
{
	const json_t *steps = json_object_get(event, "steps"), *step;
	size_t i;

	(void)fputc('\n', o->file);
	cli_output_line(o, CLI_BOLD, "%s  %s", ctl_api_text(event, "time"),
			ctl_api_text(event, "kind"));
	cli_output_line(o, CLI_DIM, "  endpoint %s, CA %s, from %s",
			ctl_api_text(event, "endpoint"), ctl_api_text(event, "ca"),
			ctl_api_text(event, "actor"));
	json_array_foreach(steps, i, step) put_step(o, step);
	cli_output_line(o, CLI_PLAIN, "  %s", ctl_api_text(event, "reason"));
}

static void put_story(const struct cli_output *o, const json_t *story)
{
	const char *outcome = ctl_api_text(story, "outcome");
	const char *advice = ctl_api_text(story, "advice");
	const json_t *event;
	size_t i;

	cli_output_pair(o, "Transaction", "%s", ctl_api_text(story, "transaction"));
	cli_output_pair(o, "Outcome", "%s", *outcome ? outcome : "not decided");
	json_array_foreach(json_object_get(story, "events"), i, event) put_event(o, event);
	if (!*advice)
		return;
	(void)fputc('\n', o->file);
	cli_output_text(o, CLI_YELLOW, "What to do next: ");
	cli_output_line(o, CLI_PLAIN, "%s", advice);
}

static enum result run(struct cli *cli, const void *opts, struct err *err)
{
	const struct opts *o = opts;
	CLEANUP_JSON answer = NULL;
	BUF path = BUF_INIT;

	ctl_api_path(&path, "/v1/transactions/", o->transaction);
	TRY(buf_check(&path, err));
	TRY(ctl_api_get(cli, buf_cstr(&path), &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	put_story(&cli->out, answer);
	return OK;
}

const struct cli_command ctl_explain = {
	.name = "explain",
	.summary = "Tell step by step what became of a transaction, and what to do next.",
	.examples = "scepterctl explain 7A9C1F0E55D2\n"
		    "scepterctl explain 7A9C1F0E55D2 --json\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = run,
};
