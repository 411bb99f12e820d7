/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ctl/ctl_list.h"

void ctl_list_put_number(struct cli_table *t, const json_t *row, const char *field)
{
	cli_table_put_number(t, json_integer_value(json_object_get(row, field)));
}

void ctl_list_put_state(struct cli_table *t, const char *state)
{
	static const struct {
		const char *state;
		enum cli_colour colour;
	} known[] = {
		{ "good", CLI_GREEN },   { "ready", CLI_GREEN },    { "usable", CLI_GREEN },
		{ "issued", CLI_GREEN }, { "pending", CLI_YELLOW }, { "hold", CLI_YELLOW },
		{ "rejected", CLI_RED }, { "revoked", CLI_RED },    { "expired", CLI_DIM },
		{ "used", CLI_DIM },     { "bound", CLI_YELLOW },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(state, known[i].state) == 0)
			break;
	cli_table_put_colour(t, i < ARRAY_LEN(known) ? known[i].colour : CLI_PLAIN, state);
}

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

/* How to see the next page, if there is one; not in a pipe, where it would pass for a row. */
static void tell_more(const struct cli *cli, const json_t *answer)
{
	const char *next = ctl_api_text(answer, "next");
	struct cli_output to;

	if (!*next)
		return;
	(void)fflush(cli->out.file);
	cli_output_init(&to, stderr, false);
	cli_output_line(&to, CLI_DIM, "More: --cursor %s", next);
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
