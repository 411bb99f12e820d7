/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ctl/ctl_list.h"

static RESULT get(const struct cli *cli, const char *path, const struct ctl_list *list,
		  json_t **answer, struct err *err)
{
	BUF full = BUF_INIT;

	buf_put_str(&full, path);
	ctl_api_query(&full, "all", list->all ? "1" : NULL);
	ctl_api_query(&full, "cursor", list->cursor);
	ctl_api_query(&full, "limit", list->limit);
	TRY(buf_check(&full, err));
	return ctl_api_get(cli, buf_cstr(&full), answer, err);
}

/* How to see the next page, if there is one. */
static void tell_more(const struct cli *cli, const json_t *answer)
{
	const char *next = ctl_api_text(answer, "next");

	if (cli->out.terminal && *next)
		cli_output_line(&cli->out, CLI_DIM, "More: --cursor %s", next);
}

enum result ctl_list_show(const struct cli *cli, const json_t *answer,
			  const struct ctl_list_shown *shown, struct err *err)
{
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	TRY(shown->put(cli, json_object_get(answer, shown->rows), err));
	tell_more(cli, answer);
	return OK;
}

enum result ctl_list_run(const struct cli *cli, const char *path, const struct ctl_list *list,
			 const struct ctl_list_shown *shown, struct err *err)
{
	CLEANUP_JSON answer = NULL;

	TRY(get(cli, path, list, &answer, err));
	return ctl_list_show(cli, answer, shown, err);
}
