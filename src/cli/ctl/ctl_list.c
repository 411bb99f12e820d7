/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ctl/ctl_list.h"

enum result ctl_list_get(const struct cli *cli, const char *path, const struct ctl_list *list,
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

void ctl_list_tell_more(const struct cli *cli, const json_t *answer)
{
	const char *next = ctl_api_text(answer, "next");

	if (cli->out.terminal && *next)
		cli_output_line(&cli->out, CLI_DIM, "More: --cursor %s", next);
}
