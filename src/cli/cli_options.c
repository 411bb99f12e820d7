/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_suggest.h"

void cli_parse_clear(struct cli_parse *p)
{
	free(p->opts);
	free(p->globals);
	*p = (struct cli_parse){ 0 };
}

static const struct cli_command *command_of(const struct cli_parse *p)
{
	return p->depth ? p->path[p->depth - 1] : NULL;
}

/* ---- options ---- */

static const struct cli_option *find_option(const struct cli_option *table, struct span name)
{
	for (; table && table->name; table++)
		if (table->name[0] == '-' && span_eq_str(name, table->name))
			return table;
	return NULL;
}

const struct cli_option *cli_options_find(const struct cli_program *program,
					  const struct cli_command *command, struct span name)
{
	const struct cli_option *o = command ? find_option(command->options, name) : NULL;

	return o ? o : find_option(program->globals, name);
}

static RESULT unknown_option(const struct cli_parse *p, struct span name, struct err *err)
{
	const struct cli_command *command = command_of(p);
	struct cli_suggest s = { .word = name };
	const struct cli_option *o;

	for (o = command ? command->options : NULL; o && o->name; o++)
		cli_suggest_try(&s, o->name);
	for (o = p->program->globals; o && o->name; o++)
		cli_suggest_try(&s, o->name);
	cli_suggest_try(&s, "--json");
	cli_suggest_try(&s, "--help");
	cli_suggest_try(&s, "--version");
	return err_set(err, ERR_USAGE, "unknown option %.*s%s%s%s", (int)name.len,
		       (const char *)name.p, s.best ? "; did you mean " : "", s.best ? s.best : "",
		       s.best ? "?" : "");
}

static RESULT set_number(unsigned *field, const char *name, const char *value, struct err *err)
{
	char *end = NULL;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno || end == value || *end || value[0] == '-' || n > UINT_MAX)
		return err_set(err, ERR_USAGE, "%s: \"%s\" is not a number", name, value);
	*field = (unsigned)n;
	return OK;
}

static RESULT set_list(struct cli_list *list, const char *name, const char *value, struct err *err)
{
	if (list->n == CLI_LIST_MAX)
		return err_set(err, ERR_USAGE, "%s: given more than %d times", name, CLI_LIST_MAX);
	list->v[list->n++] = value;
	return OK;
}

static RESULT set_value(void *base, const struct cli_option *o, const char *value, struct err *err)
{
	void *field = (char *)base + o->offset;
	enum result r;

	switch (o->kind) {
	case CLI_FLAG:
		*(bool *)field = true;
		return OK;
	case CLI_NUMBER:
		return set_number(field, o->name, value, err);
	case CLI_LIST:
		return set_list(field, o->name, value, err);
	case CLI_DURATION:
		r = clock_parse_duration(value, field, err);
		return r == OK ? OK : err_prefix(err, ERR_USAGE, "%s", o->name);
	default:
		if (*(const char **)field)
			return err_set(err, ERR_USAGE, "%s: given twice", o->name);
		*(const char **)field = value;
		return OK;
	}
}

/* The flags that every program knows. */
static bool set_common(struct cli_parse *p, const char *arg)
{
	if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
		p->help = true;
	else if (strcmp(arg, "--version") == 0)
		p->version = true;
	else if (strcmp(arg, "--json") == 0)
		p->json = true;
	else
		return false;
	return true;
}

/* arg is "--name" or "--name=value"; *i moves on where the value is the next argument. */
static RESULT parse_option(struct cli_parse *p, int argc, char **argv, int *i, struct err *err)
{
	const struct cli_command *command = command_of(p);
	const char *arg = argv[*i], *equals = strchr(arg, '=');
	struct span name = span_of(arg, equals ? (size_t)(equals - arg) : strlen(arg));
	const struct cli_option *o = command ? find_option(command->options, name) : NULL;
	void *base = p->opts;

	if (set_common(p, arg))
		return OK;
	/* behind a command, its own options come first: --ca is one of both in scepterctl */
	if (!o) {
		o = find_option(p->program->globals, name);
		base = p->globals;
	}
	if (!o)
		return unknown_option(p, name, err);
	if (o->kind == CLI_FLAG)
		return equals ? err_set(err, ERR_USAGE, "%s takes no value", o->name)
			      : set_value(base, o, NULL, err);
	if (equals)
		return set_value(base, o, equals + 1, err);
	if (*i + 1 == argc)
		return err_set(err, ERR_USAGE, "%s wants a value: %s %s", o->name, o->name,
			       o->value ? o->value : "VALUE");
	return set_value(base, o, argv[++*i], err);
}

/* ---- commands and their arguments ---- */

const struct cli_command *cli_options_command(const struct cli_command *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

static RESULT unknown_command(const struct cli_command *table, const char *name, struct err *err)
{
	struct cli_suggest s = { .word = span_str(name) };

	for (; table->name; table++)
		cli_suggest_try(&s, table->name);
	return err_set(err, ERR_USAGE, "unknown command \"%s\"%s%s%s", name,
		       s.best ? "; did you mean \"" : "", s.best ? s.best : "",
		       s.best ? "\"?" : "");
}

static RESULT enter_command(struct cli_parse *p, const struct cli_command *table, const char *name,
			    struct err *err)
{
	const struct cli_command *c = cli_options_command(table, name);

	if (!c)
		return unknown_command(table, name, err);
	if (p->depth == ARRAY_LEN(p->path))
		return err_set(err, ERR_INTERNAL, "commands nest too deep");
	p->path[p->depth++] = c;
	if (c->opts_size == 0)
		return OK;
	p->opts = calloc(1, c->opts_size);
	return p->opts ? OK : err_nomem(err);
}

bool cli_options_is_arg(const struct cli_option *o)
{
	return o->kind == CLI_ARG || o->kind == CLI_ARG_OPTIONAL;
}

static RESULT parse_arg(struct cli_parse *p, const char *arg, struct err *err)
{
	const struct cli_command *c = command_of(p);
	const struct cli_option *o;

	if (!c && strcmp(arg, "help") == 0) { /* "prog help cert", as other programs have it */
		p->help = true;
		return OK;
	}
	if (!c)
		return enter_command(p, p->program->commands, arg, err);
	if (c->sub)
		return enter_command(p, c->sub, arg, err);
	for (o = c->options; o && o->name; o++)
		if (cli_options_is_arg(o) && !*(const char **)((char *)p->opts + o->offset))
			return *arg ? set_value(p->opts, o, arg, err)
				    : err_set(err, ERR_USAGE, "%s is empty: \"\"", o->name);
	return err_set(err, ERR_USAGE, "unexpected argument \"%s\"", arg);
}

static bool is_given(const void *opts, const struct cli_option *o)
{
	const char *field = (const char *)opts + o->offset;

	switch (o->kind) {
	case CLI_FLAG:
		return *(const bool *)field;
	case CLI_NUMBER:
		return *(const unsigned *)field != 0;
	case CLI_DURATION:
		return *(const int64_t *)field != 0;
	case CLI_LIST:
		return ((const struct cli_list *)field)->n != 0;
	default:
		return *(const char *const *)field != NULL;
	}
}

/* All at once: whoever has forgotten one may have forgotten more. */
static RESULT check_required(const struct cli_parse *p, const struct cli_option *o, struct err *err)
{
	BUF missing = BUF_INIT;

	for (; o && o->name; o++)
		if ((o->required || o->kind == CLI_ARG) && !is_given(p->opts, o))
			buf_printf(&missing, "%s%s%s%s", missing.len ? ", " : "", o->name,
				   o->value ? " " : "", o->value ? o->value : "");
	if (missing.len == 0)
		return OK;
	TRY(buf_check(&missing, err));
	return err_set(err, ERR_USAGE, "missing: %s", buf_cstr(&missing));
}

static RESULT check_complete(struct cli_parse *p, struct err *err)
{
	const struct cli_command *c = command_of(p);

	p->no_command = !c || c->sub;
	if (p->no_command)
		return err_set(err, ERR_USAGE, "a command is missing behind \"%s\"",
			       c ? c->name : p->program->name);
	return check_required(p, c->options, err);
}

enum result cli_parse_args(struct cli_parse *p, const struct cli_program *program, int argc,
			   char **argv, struct err *err)
{
	bool options = true;
	int i;

	p->program = program;
	if (program->globals_size) {
		p->globals = calloc(1, program->globals_size);
		if (!p->globals)
			return err_nomem(err);
	}
	for (i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0)
			options = false;
		else if (options && argv[i][0] == '-' && argv[i][1])
			TRY(parse_option(p, argc, argv, &i, err));
		else
			TRY(parse_arg(p, argv[i], err));
	}
	return p->help || p->version ? OK : check_complete(p, err);
}
