/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#define COLUMN 28

/* "  left          right", the right side on a line of its own where the left is long. */
static void put_row(FILE *to, const char *left, const char *right)
{
	int width = COLUMN - 2;

	if ((int)strlen(left) >= width)
		(void)fprintf(to, "  %s\n%*s%s\n", left, COLUMN, "", right);
	else
		(void)fprintf(to, "  %-*s%s\n", width, left, right);
}

static void put_option(FILE *to, const struct cli_option *o)
{
	char left[96];

	(void)snprintf(left, sizeof(left), "%s%s%s", o->name, o->value ? " " : "",
		       o->value ? o->value : "");
	put_row(to, left, o->help);
}

static bool is_arg(const struct cli_option *o)
{
	return o->kind == CLI_ARG || o->kind == CLI_ARG_OPTIONAL;
}

static void put_options(FILE *to, const char *head, const struct cli_option *table, bool args)
{
	bool any = false;

	for (; table && table->name; table++) {
		if (is_arg(table) != args)
			continue;
		if (!any)
			(void)fprintf(to, "\n%s:\n", head);
		any = true;
		put_option(to, table);
	}
}

static void put_commands(FILE *to, const struct cli_command *table)
{
	(void)fputs("\nCommands:\n", to);
	for (; table->name; table++)
		put_row(to, table->name, table->summary);
}

static void put_usage(FILE *to, const struct cli_parse *p, const struct cli_command *c)
{
	const struct cli_option *o;
	size_t i;

	(void)fprintf(to, "Usage: %s", p->program->name);
	for (i = 0; i < p->depth; i++)
		(void)fprintf(to, " %s", p->path[i]->name);
	if (!c || c->sub)
		(void)fputs(" COMMAND", to);
	for (o = c ? c->options : NULL; o && o->name; o++)
		if (o->kind == CLI_ARG)
			(void)fprintf(to, " %s", o->name);
		else if (o->kind == CLI_ARG_OPTIONAL)
			(void)fprintf(to, " [%s]", o->name);
		else if (o->required)
			(void)fprintf(to, " %s %s", o->name, o->value ? o->value : "");
	(void)fputs(" [OPTION...]\n", to);
}

static void put_examples(FILE *to, const char *lines)
{
	const char *end;

	if (!lines)
		return;
	(void)fputs("\nExamples:\n", to);
	for (; *lines; lines = *end ? end + 1 : end) {
		end = strchrnul(lines, '\n');
		(void)fprintf(to, "  %.*s\n", (int)(end - lines), lines);
	}
}

void cli_help_print(FILE *to, const struct cli_parse *p)
{
	const struct cli_command *c = p->depth ? p->path[p->depth - 1] : NULL;

	put_usage(to, p, c);
	(void)fprintf(to, "\n%s\n", c ? c->summary : p->program->summary);
	if (!c || c->sub)
		put_commands(to, c ? c->sub : p->program->commands);
	put_options(to, "Arguments", c ? c->options : NULL, true);
	put_options(to, "Options", c ? c->options : NULL, false);
	put_options(to, "Options of every command", p->program->globals, false);
	put_row(to, "--json", "machine-readable output");
	put_row(to, "--help", "this text; works behind each command");
	put_row(to, "--version", "version of the program");
	put_examples(to, c ? c->examples : p->program->examples);
}
