/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ctl/ctl_show.h"

enum result ctl_show_run(const struct cli *cli, const char *path, const struct ctl_field *fields,
			 size_t n, struct err *err)
{
	CLEANUP_JSON answer = NULL;
	size_t i;

	TRY(ctl_api_get(cli, path, &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	for (i = 0; i < n; i++)
		if (*ctl_api_text(answer, fields[i].field))
			cli_output_pair(&cli->out, fields[i].name, "%s",
					ctl_api_text(answer, fields[i].field));
	return OK;
}
