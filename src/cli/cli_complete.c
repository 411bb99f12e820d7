/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion for shells, of the same tables that everything else is read from. They ask
 *
 *	prog --complete WORD...
 *
 * with what was typed behind the program's name, the last word being the one to complete (it may be
 * empty), and get a line for each candidate: the word, and behind a tab what it means. A line
 * ":file" says that the name of a file is wanted. The scripts are in packaging/completion.
 */
#include "cli/cli.h"

/* What was typed before the word to complete. */
struct typed {
	const struct cli_program *program;
	const struct cli_command *command; /* NULL: none yet */
	const struct cli_option *waits;    /* an option that wants its value */
	size_t args;
	bool no_options; /* behind -- */
	bool lost;       /* a command that does not exist */
};

static bool takes_commands(const struct typed *t)
{
	return !t->command || t->command->sub;
}

static const struct cli_command *commands_of(const struct typed *t)
{
	return t->command ? t->command->sub : t->program->commands;
}

static void take_option(struct typed *t, const char *word)
{
	const struct cli_option *o =
	    cli_options_find(t->program, t->command, span_str(word)); /* none for --name=value */

	if (o && o->kind != CLI_FLAG)
		t->waits = o;
}

static void take_word(struct typed *t, const char *word)
{
	if (t->waits) {
		/* bash makes three words of --name=value */
		if (strcmp(word, "=") != 0)
			t->waits = NULL;
	} else if (!t->no_options && strcmp(word, "--") == 0) {
		t->no_options = true;
	} else if (!t->no_options && word[0] == '-' && word[1]) {
		take_option(t, word);
	} else if (takes_commands(t)) {
		t->command = cli_options_command(commands_of(t), word);
		t->lost = !t->command;
	} else {
		t->args++;
	}
}

static void put(FILE *to, const char *word, const char *name, const char *help)
{
	if (strncmp(name, word, strlen(word)) == 0)
		(void)fprintf(to, "%s\t%s\n", name, help);
}

static bool is_file(const char *name)
{
	return strcmp(name, "FILE") == 0 || strcmp(name, "PATH") == 0 || strcmp(name, "DIR") == 0;
}

static void put_values(FILE *to, const struct cli_option *o, const char *word)
{
	const char *choice = o->choices ? o->choices : "";
	size_t len;

	for (; *choice; choice += len + (choice[len] != '\0')) {
		len = strcspn(choice, " ");
		if (strncmp(choice, word, strlen(word)) == 0 && len >= strlen(word))
			(void)fprintf(to, "%.*s\t\n", (int)len, choice);
	}
	if (is_file(o->value ? o->value : o->name))
		(void)fputs(":file\n", to);
}

/* Those of a table that would be found: a command's own come before the program's. */
static void put_options(FILE *to, const struct typed *t, const struct cli_option *o,
			const char *word)
{
	for (; o && o->name; o++)
		if (cli_options_find(t->program, t->command, span_str(o->name)) == o)
			put(to, word, o->name, o->help);
}

static void put_arg(FILE *to, const struct typed *t, const char *word)
{
	const struct cli_option *o = t->command->options;
	size_t n = t->args;

	for (; o && o->name; o++)
		if (cli_options_is_arg(o) && n-- == 0)
			put_values(to, o, word);
}

bool cli_complete_wanted(int argc, char **argv)
{
	return argc > 2 && strcmp(argv[1], "--complete") == 0;
}

void cli_complete_print(FILE *to, const struct cli_program *program, int n, char **words)
{
	struct typed t = { .program = program };
	const struct cli_command *c;
	const char *word = words[n - 1];
	int i;

	for (i = 0; i + 1 < n && !t.lost; i++)
		take_word(&t, words[i]);
	if (t.lost)
		return;
	if (t.waits) {
		put_values(to, t.waits, strcmp(word, "=") == 0 ? "" : word);
	} else if (!t.no_options && word[0] == '-') {
		put_options(to, &t, t.command ? t.command->options : NULL, word);
		put_options(to, &t, program->globals, word);
		put(to, word, "--json", "machine-readable output");
		put(to, word, "--help", "what there is to say");
		put(to, word, "--version", "version of the program");
	} else if (takes_commands(&t)) {
		for (c = commands_of(&t); c->name; c++)
			put(to, word, c->name, c->summary);
	} else {
		put_arg(to, &t, word);
	}
}
