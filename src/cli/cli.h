/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command-line programs share: a program is a table of commands, a command a table of
 * options and a function. Parsing, --help on every level, --json, exit codes (of err.h's table) and
 * the look of output are here once.
 *
 *	int main(int argc, char **argv)
 *	{
 *		return cli_main(&program, argc, argv);
 *	}
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/cli_table.h"

#define CLI_LIST_MAX 64

struct cli_list {
	const char *v[CLI_LIST_MAX];
	size_t n;
};

enum cli_kind {
	CLI_FLAG,         /* bool */
	CLI_TEXT,         /* const char *; NULL: not given */
	CLI_LIST,         /* struct cli_list: may be repeated */
	CLI_NUMBER,       /* unsigned */
	CLI_DURATION,     /* int64_t, seconds: "90d" */
	CLI_ARG,          /* const char *: an argument in its place, not an option */
	CLI_ARG_OPTIONAL, /* the same, which may be missing; after those that may not */
};

struct cli_option {
	const char *name; /* "--subject", or "NAME" of an argument; NULL ends the table */
	enum cli_kind kind;
	size_t offset;     /* of the field that it fills */
	const char *value; /* how help calls the value: "DN" */
	const char *help;
	bool required; /* of an option */
	const char
	    *choices; /* "one split none": what it may be, told to whoever types it; may be NULL */
};

/* What a command opens for the rest of the program's run. */
struct cli_kept {
	void *thing;
	void (*free)(void *thing);
};

struct cli {
	const struct cli_program *program;
	const void *globals; /* the program's global options, filled */
	struct cli_output out;
	struct cli_kept *kept; /* NULL in tests */
};

/* opts: the command's struct, filled from the command line. What is not given is zero. */
typedef enum result cli_run(struct cli *cli, const void *opts, struct err *err);

struct cli_command {
	const char *name; /* NULL ends the table */
	const char *summary;
	const char *examples; /* lines */
	const struct cli_option *options;
	size_t opts_size;
	cli_run *run;
	const struct cli_command *sub; /* a group of commands instead of run */
};

struct cli_program {
	const char *name;
	const char *summary;
	const char *examples;
	const struct cli_command *commands;
	const struct cli_option *globals; /* may stand anywhere, but before a command that has one
					     of that name; --help, --version, --json are known
					     without */
	size_t globals_size;
};

/* Parses, runs, prints an error to standard error; the exit code. */
int cli_main(const struct cli_program *program, int argc, char **argv);

/* ---- used by cli_main, and on their own by tests ---- */

struct cli_parse {
	const struct cli_program *program;
	const struct cli_command *path[4]; /* group, command: the way to what was named */
	size_t depth;
	void *opts;    /* owned; the last command's */
	void *globals; /* owned */
	bool help;
	bool version;
	bool json;
	bool no_command; /* what the error is about: help says which there are */
};

/* ERR_USAGE saying what is wrong and what could be meant. */
RESULT cli_parse_args(struct cli_parse *p, const struct cli_program *program, int argc, char **argv,
		      struct err *err);
void cli_parse_clear(struct cli_parse *p);
/* The option of that name: the command's, or the program's. NULL: there is none. */
const struct cli_option *cli_options_find(const struct cli_program *program,
					  const struct cli_command *command, struct span name);
/* The command of that name in a table; NULL: there is none. */
const struct cli_command *cli_options_command(const struct cli_command *table, const char *name);
bool cli_options_is_arg(const struct cli_option *o);

/* Of the program, group or command that was named; lines end where `width` does, unless that is 0.
 */
void cli_help_print(FILE *to, const struct cli_parse *p, size_t width);

/* "prog --complete WORD...": what the last word could be, for shells. See cli_complete.c. */
bool cli_complete_wanted(int argc, char **argv);
void cli_complete_print(FILE *to, const struct cli_program *program, int n, char **words);

#endif
