/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#define COLUMN 28
#define TEXT_MIN 20 /* narrower than that it is left to the terminal */

struct page {
	FILE *to;
	size_t width; /* 0: lines are as long as they are */
};

/* How much of text stands on one line of so many characters: whole words. */
static size_t line_of(const char *text, size_t room)
{
	size_t len = strlen(text), n;

	if (len <= room)
		return len;
	for (n = room; n > 0 && text[n] != ' '; n--)
		;
	return n ? n : strcspn(text, " ");
}

/* Text that begins in COLUMN, and goes on there. */
static void put_text(const struct page *page, const char *text)
{
	size_t room = page->width >= COLUMN + TEXT_MIN ? page->width - COLUMN : SIZE_MAX;
	size_t n;

	for (;; text += n + 1) {
		n = line_of(text, room);
		(void)fprintf(page->to, "%.*s\n", (int)n, text);
		if (!text[n])
			return;
		(void)fprintf(page->to, "%*s", COLUMN, "");
	}
}

/* "  left          right", the right side on a line of its own where the left is long. */
static void put_row(const struct page *page, const char *left, const char *right)
{
	int width = COLUMN - 2;

	if ((int)strlen(left) >= width)
		(void)fprintf(page->to, "  %s\n%*s", left, COLUMN, "");
	else
		(void)fprintf(page->to, "  %-*s", width, left);
	put_text(page, right);
}

static void put_option(const struct page *page, const struct cli_option *o)
{
	char left[96];

	(void)snprintf(left, sizeof(left), "%s%s%s", o->name, o->value ? " " : "",
		       o->value ? o->value : "");
	put_row(page, left, o->help);
}

static void put_options(const struct page *page, const char *head, const struct cli_option *table,
			bool args)
{
	bool any = false;

	for (; table && table->name; table++) {
		if (cli_options_is_arg(table) != args)
			continue;
		if (!any)
			(void)fprintf(page->to, "\n%s:\n", head);
		any = true;
		put_option(page, table);
	}
}

static void put_common(const struct page *page, const struct cli_option *globals)
{
	(void)fputs("\nOptions of every command:\n", page->to);
	for (; globals && globals->name; globals++)
		put_option(page, globals);
	put_row(page, "--json", "machine-readable output");
	put_row(page, "--help", "this text; works behind each command");
	put_row(page, "--version", "version of the program");
}

static void put_commands(const struct page *page, const struct cli_command *table)
{
	(void)fputs("\nCommands:\n", page->to);
	for (; table->name; table++)
		put_row(page, table->name, table->summary);
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

void cli_help_print(FILE *to, const struct cli_parse *p, size_t width)
{
	const struct cli_command *c = p->depth ? p->path[p->depth - 1] : NULL;
	const struct page page = { to, width };

	put_usage(to, p, c);
	(void)fprintf(to, "\n%s\n", c ? c->summary : p->program->summary);
	if (!c || c->sub)
		put_commands(&page, c ? c->sub : p->program->commands);
	put_options(&page, "Arguments", c ? c->options : NULL, true);
	put_options(&page, "Options", c ? c->options : NULL, false);
	put_common(&page, p->program->globals);
	put_examples(to, c ? c->examples : p->program->examples);
}
