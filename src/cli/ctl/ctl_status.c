/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl status: is the server well, and what does it serve? */
#include "cli/ctl/ctl_list.h"

#define MIB (1024 * 1024)

static json_int_t number(const json_t *object, const char *field)
{
	return json_integer_value(json_object_get(object, field));
}

static const json_t *find_crl(const json_t *crls, const json_t *ca)
{
	const json_t *crl;
	size_t i;

	json_array_foreach(
	    crls, i, crl) if (strcmp(ctl_api_text(crl, "ca"), ctl_api_text(ca, "ca")) == 0 &&
			      number(crl, "generation") == number(ca, "generation")) return crl;
	return NULL;
}

static RESULT put_authorities(const struct cli *cli, const json_t *answer, struct err *err)
{
	CLEANUP(cli_table_clear)
	struct cli_table t = { { "CA", "UNTIL", "DAYS", "LIST", "REVOKED", "NEXT LIST" }, 6 };
	const json_t *ca, *crl;
	size_t i;

	json_array_foreach(json_object_get(answer, "authorities"), i, ca)
	{
		crl = find_crl(json_object_get(answer, "crls"), ca);
		cli_table_put(&t, ctl_api_text(ca, "ca"));
		cli_table_put(&t, ctl_api_text(ca, "not_after"));
		ctl_list_put_number(&t, ca, "days");
		if (crl)
			ctl_list_put_number(&t, crl, "number");
		else
			cli_table_put(&t, "none");
		ctl_list_put_number(&t, crl, "entries");
		cli_table_put(&t, ctl_api_text(crl, "next_update"));
	}
	return cli_table_print(&t, &cli->out, "no CA yet: scepterctl ca init", err);
}

static RESULT put_endpoints(const struct cli *cli, const json_t *endpoints, struct err *err)
{
	CLEANUP(cli_table_clear)
	struct cli_table t = { { "ENDPOINT", "PROTOCOL", "PATH", "CA", "STATE" }, 5 };
	const json_t *e;
	size_t i;

	json_array_foreach(endpoints, i, e)
	{
		cli_table_put(&t, ctl_api_text(e, "name"));
		cli_table_put(&t, ctl_api_text(e, "protocol"));
		cli_table_put(&t, ctl_api_text(e, "path"));
		cli_table_put(&t, ctl_api_text(e, "ca"));
		if (json_is_true(json_object_get(e, "ready")))
			ctl_list_put_state(&t, "ready");
		else
			cli_table_put_colour(&t, CLI_YELLOW, "waits for scepterctl ca init");
	}
	return cli_table_print(&t, &cli->out, "no endpoint is configured", err);
}

static void put_server(const struct cli_output *out, const json_t *answer)
{
	const json_t *store = json_object_get(answer, "store");
	const json_t *event = json_object_get(answer, "last_event");
	const json_t *http = json_object_get(answer, "http");
	json_int_t uptime = number(answer, "uptime");

	cli_output_pair(out, "Version", "%s", ctl_api_text(answer, "version"));
	cli_output_pair(out, "Up for", "%lld d %02lld:%02lld:%02lld", (long long)(uptime / 86400),
			(long long)(uptime / 3600 % 24), (long long)(uptime / 60 % 60),
			(long long)(uptime % 60));
	cli_output_pair(out, "Keeper", "%s", ctl_api_text(answer, "keeper_message"));
	cli_output_pair(out, "Store", "%lld MiB, %lld MiB free",
			(long long)((number(store, "bytes") + number(store, "log_bytes")) / MIB),
			(long long)(number(store, "free_bytes") / MIB));
	cli_output_pair(out, "Record", "%lld events, the last %s", (long long)number(event, "id"),
			ctl_api_text(event, "time"));
	cli_output_pair(out, "Waiting", "%lld requests for approval",
			(long long)number(answer, "pending_requests"));
	cli_output_pair(out, "HTTP", "%lld requests, %lld connections",
			(long long)number(http, "requests"),
			(long long)number(http, "connections"));
}

static void put_gap(const struct cli_output *out)
{
	if (out->terminal)
		(void)fputc('\n', out->file);
}

static void put_warnings(const struct cli_output *out, const json_t *warnings)
{
	const json_t *text;
	size_t i;

	json_array_foreach(warnings, i, text)
	{
		cli_output_text(out, CLI_YELLOW, "Attention: ");
		cli_output_text(out, CLI_PLAIN, json_string_value(text));
		(void)fputc('\n', out->file);
	}
}

static enum result run(struct cli *cli, UNUSED const void *opts, struct err *err)
{
	CLEANUP_JSON answer = NULL;

	TRY(ctl_api_get(cli, "/v1/status", &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	put_server(&cli->out, answer);
	put_gap(&cli->out);
	TRY(put_authorities(cli, answer, err));
	put_gap(&cli->out);
	TRY(put_endpoints(cli, json_object_get(answer, "endpoints"), err));
	if (json_array_size(json_object_get(answer, "warnings")))
		put_gap(&cli->out);
	put_warnings(&cli->out, json_object_get(answer, "warnings"));
	return OK;
}

const struct cli_command ctl_status = {
	.name = "status",
	.summary = "Show whether the server is well, what it serves, and what wants attention.",
	.examples = "scepterctl status\n"
		    "scepterctl status --json\n",
	.run = run,
};
