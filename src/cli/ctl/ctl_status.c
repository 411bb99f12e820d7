/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl status: is the server well, and what does it serve? */
#include "cli/ctl/commands.h"

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
		cli_table_put(&t, json_is_true(json_object_get(e, "ready"))
				      ? "ready"
				      : "waits for scepterctl ca init");
	}
	return cli_table_print(&t, &cli->out, "no endpoint is configured", err);
}

static enum result run(struct cli *cli, UNUSED const void *opts, struct err *err)
{
	CLEANUP_JSON answer = NULL;
	json_int_t uptime;

	TRY(ctl_api_get(cli, "/v1/status", &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	uptime = json_integer_value(json_object_get(answer, "uptime"));
	cli_output_pair(&cli->out, "Version", "%s", ctl_api_text(answer, "version"));
	cli_output_pair(&cli->out, "Up for", "%lld d %02lld:%02lld:%02lld",
			(long long)(uptime / 86400), (long long)(uptime / 3600 % 24),
			(long long)(uptime / 60 % 60), (long long)(uptime % 60));
	cli_output_pair(&cli->out, "Keeper", "%s", ctl_api_text(answer, "keeper_message"));
	cli_output_pair(&cli->out, "CAs", "%zu", json_array_size(json_object_get(answer, "cas")));
	return put_endpoints(cli, json_object_get(answer, "endpoints"), err);
}

const struct cli_command ctl_status = {
	.name = "status",
	.summary = "Show whether the server is well, and what it serves.",
	.examples = "scepterctl status\n"
		    "scepterctl status --json\n",
	.run = run,
};
