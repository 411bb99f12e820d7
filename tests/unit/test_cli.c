/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/cli.h"

struct globals {
	const char *socket;
	const char *subject;
};

struct opts {
	const char *name;
	const char *more;
	const char *subject;
	struct cli_list san;
	unsigned limit;
	int64_t validity;
	bool force;
	const char *mood;
};

static const struct cli_option options[] = {
	{ "NAME", CLI_ARG, offsetof(struct opts, name), NULL, "name of the thing", false },
	{ "MORE", CLI_ARG_OPTIONAL, offsetof(struct opts, more), NULL, "more of it", false },
	{ "--subject", CLI_TEXT, offsetof(struct opts, subject), "DN", "its subject", true },
	{ "--san", CLI_LIST, offsetof(struct opts, san), "TYPE:VALUE", "a name", false },
	{ "--limit", CLI_NUMBER, offsetof(struct opts, limit), "N", "how many", false },
	{ "--validity", CLI_DURATION, offsetof(struct opts, validity), "TIME", "how long", false },
	{ "--force", CLI_FLAG, offsetof(struct opts, force), NULL, "do it", false },
	{ "--mood", CLI_TEXT, offsetof(struct opts, mood), "HOW", "in which",
	  .choices = "glad sad" },
	{ 0 },
};

static const struct cli_option globals[] = {
	{ "--socket", CLI_TEXT, offsetof(struct globals, socket), "PATH", "the server", false },
	{ "--subject", CLI_TEXT, offsetof(struct globals, subject), "X", "of one name", false },
	{ 0 },
};

static enum result say_no(struct cli *cli, const void *opts, struct err *err)
{
	(void)cli;
	(void)opts;
	return err_set(err, ERR_DENIED, "no");
}

static const struct cli_command things[] = {
	{ "new", "make a thing", "prog thing new a --subject CN=a", options, sizeof(struct opts),
	  say_no, NULL },
	{ 0 },
};

static const struct cli_command commands[] = {
	{ "thing", "make and see things", NULL, NULL, 0, NULL, things },
	{ 0 },
};

static const struct cli_program program = { "prog",   "Does things.", "prog thing new",
					    commands, globals,        sizeof(struct globals) };

#define ARGS_MAX 13

struct row {
	const char *args[ARGS_MAX];
	enum result want;
	const char *says; /* part of the error */
};

static int count(const char *const *args)
{
	int n = 0;

	while (n < ARGS_MAX && args[n])
		n++;
	return n;
}

/* The parser never writes to argv; main's type says otherwise. */
static enum result parse(struct cli_parse *p, const char *const *args, struct err *err)
{
	char *argv[ARGS_MAX + 1];
	int i, n = count(args);

	for (i = 0; i < n; i++)
		argv[i] = (char *)(uintptr_t)args[i];
	argv[n] = NULL;
	return cli_parse_args(p, &program, n, argv, err);
}

static void fills_the_struct(void **state)
{
	static const char *const args[] = { "prog",        "--subject=all",
					    "--socket",    "/s",
					    "thing",       "new",
					    "a",           "--subject=CN=x",
					    "--san",       "DNS:a",
					    "--san=DNS:b", "--validity",
					    "2d",          NULL };
	CLEANUP(cli_parse_clear) struct cli_parse p = { 0 };
	const struct opts *o;

	(void)state;
	assert_int_equal(parse(&p, args, NULL), OK);
	o = p.opts;
	assert_string_equal(((struct globals *)p.globals)->socket, "/s");
	/* before the command the program's, behind it the command's */
	assert_string_equal(((struct globals *)p.globals)->subject, "all");
	assert_string_equal(p.path[1]->name, "new");
	assert_string_equal(o->name, "a");
	assert_null(o->more);
	assert_string_equal(o->subject, "CN=x");
	assert_int_equal(o->san.n, 2);
	assert_string_equal(o->san.v[1], "DNS:b");
	assert_int_equal(o->validity, 2 * 86400);
	assert_false(o->force);
}

static void refuses_by_name(void **state)
{
	static const struct row rows[] = {
		{ { "prog" }, ERR_USAGE, "command is missing" },
		{ { "prog", "thing" }, ERR_USAGE, "behind \"thing\"" },
		{ { "prog", "thin" }, ERR_USAGE, "unknown command \"thin\"" },
		{ { "prog", "thing", "old" }, ERR_USAGE, "unknown command \"old\"" },
		{ { "prog", "thing", "new" }, ERR_USAGE, "missing: NAME" },
		{ { "prog", "thing", "new", "a" }, ERR_USAGE, "missing: --subject DN" },
		{ { "prog", "thing", "new", "a", "b", "c" }, ERR_USAGE, "argument \"c\"" },
		{ { "prog", "thing", "new", "a", "--subject" }, ERR_USAGE, "wants a value" },
		{ { "prog", "thing", "new" }, ERR_USAGE, "missing: NAME, --subject DN" },
		{ { "prog", "thing", "new", "" }, ERR_USAGE, "NAME is empty" },
		{ { "prog", "thing", "new", "--subj=x" },
		  ERR_USAGE,
		  "unknown option --subj; did you mean --subject?" },
		{ { "prog", "thing", "new", "--lmit", "2" }, ERR_USAGE, "did you mean --limit?" },
		{ { "prog", "thing", "new", "--jsn" }, ERR_USAGE, "did you mean --json?" },
		{ { "prog", "thign" }, ERR_USAGE, "\"thign\"; did you mean \"thing\"?" },
		{ { "prog", "thing", "xyz" }, ERR_USAGE, "unknown command \"xyz\"" },
		{ { "prog", "help" }, OK, "" },
		{ { "prog", "help", "thing", "new" }, OK, "" },
		{ { "prog", "thing", "new", "--force=x" }, ERR_USAGE, "takes no value" },
		{ { "prog", "thing", "new", "--limit", "-1" }, ERR_USAGE, "not a number" },
		{ { "prog", "thing", "new", "--limit", "4294967296" }, ERR_USAGE, "not a number" },
		{ { "prog", "thing", "new", "--validity", "2" }, ERR_USAGE, "--validity" },
		{ { "prog", "thing", "new", "--subject=a", "--subject=b" }, ERR_USAGE, "twice" },
		{ { "prog", "--force" }, ERR_USAGE, "unknown option --force" },
		{ { "prog", "thing", "new", "--", "--help", "--x", "--y" }, ERR_USAGE, "--y" },
		{ { "prog", "thing", "--help" }, OK, "" },
		{ { "prog", "--version" }, OK, "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(cli_parse_clear) struct cli_parse p = { 0 };
		struct err err = { 0 };

		assert_int_equal(parse(&p, rows[i].args, &err), rows[i].want);
		if (!strstr(err.text, rows[i].says))
			fail_msg("row %zu: \"%s\" without \"%s\"", i, err.text, rows[i].says);
	}
}

/* What was written to a file that is no terminal. */
static char *written(FILE *f)
{
	static char text[4096];
	size_t n;

	rewind(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	return text;
}

static void help_shows_the_table(void **state)
{
	static const char *const args[] = { "prog", "thing", "new", "--help", NULL };
	CLEANUP(cli_parse_clear) struct cli_parse p = { 0 };
	FILE *f = tmpfile();
	const char *text;

	(void)state;
	assert_int_equal(parse(&p, args, NULL), OK);
	cli_help_print(f, &p, 0);
	text = written(f);
	assert_non_null(strstr(text, "Usage: prog thing new NAME [MORE] --subject DN [OPTION...]"));
	assert_non_null(strstr(text, "--san TYPE:VALUE"));
	assert_non_null(strstr(text, "--socket PATH"));
	assert_non_null(strstr(text, "Examples:\n  prog thing new a --subject CN=a\n"));
}

static void help_fits_the_terminal(void **state)
{
	static const char *const args[] = { "prog", "thing", "new", "--help", NULL };
	static const char *const wants[] = {
		"--json                    machine-readable\n                            output\n",
		"--help                    this text; works\n"
		"                            behind each command\n",
	};
	CLEANUP(cli_parse_clear) struct cli_parse p = { 0 };
	FILE *f = tmpfile();
	const char *text;
	size_t i;

	(void)state;
	assert_int_equal(parse(&p, args, NULL), OK);
	cli_help_print(f, &p, 28 + 20);
	text = written(f);
	for (i = 0; i < ARRAY_LEN(wants); i++)
		assert_non_null(strstr(text, wants[i]));
}

/* What shells ask, the last word being the one that is typed. */
static void completes_from_the_tables(void **state)
{
	static const struct {
		const char *words[ARGS_MAX];
		const char *want;
	} rows[] = {
		{ { "" }, "thing\tmake and see things\n" },
		{ { "th" }, "thing\tmake and see things\n" },
		{ { "x" }, "" },
		{ { "thing", "" }, "new\tmake a thing\n" },
		{ { "--socket", "s", "thing", "" }, "new\tmake a thing\n" },
		{ { "--socket", "=", "s", "thing", "" }, "new\tmake a thing\n" },
		{ { "--socket=s", "thing", "" }, "new\tmake a thing\n" },
		{ { "--socket", "" }, ":file\n" },
		{ { "--socket", "=" }, ":file\n" },
		{ { "nothing", "" }, "" },
		{ { "thing", "new", "--s" },
		  "--subject\tits subject\n--san\ta name\n--socket\tthe server\n" },
		{ { "thing", "new", "--f" }, "--force\tdo it\n" },
		{ { "thing", "new", "--force", "--j" }, "--json\tmachine-readable output\n" },
		{ { "thing", "new", "--", "--f" }, "" },
		{ { "thing", "new", "--mood", "" }, "glad\t\nsad\t\n" },
		{ { "thing", "new", "--mood", "g" }, "glad\t\n" },
		{ { "thing", "new", "--mood", "=", "sad" }, "sad\t\n" },
		{ { "thing", "new", "--mood", "sadder" }, "" },
		{ { "thing", "new", "--limit", "" }, "" },
		{ { "thing", "new", "a", "" }, "" },
		{ { "thing", "new", "a", "b", "c", "" }, "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		FILE *f = tmpfile();

		cli_complete_print(f, &program, count(rows[i].words),
				   (char **)(uintptr_t)rows[i].words);
		assert_string_equal(written(f), rows[i].want);
	}
}

static void device_text_cannot_drive_the_terminal(void **state)
{
	struct cli_output o = { .file = tmpfile() };
	const char *text;

	(void)state;
	cli_output_text(&o, CLI_RED,
			"a\x1b[2Jb\xc2\x9b"
			"c\xc3\xa9\x7f\n");
	text = written(o.file);
	assert_string_equal(text, "a\\x1b[2Jb\\x9bc\xc3\xa9\\x7f\\x0a");
}

static void table_in_pipe_and_on_terminal(void **state)
{
	static const struct {
		bool terminal;
		bool colour;
		size_t width;
		const char *want;
	} rows[] = {
		{ false, false, 0, "r1\tok\nlonger\tno\n" },
		{ false, false, 5, "r1\tok\nlonger\tno\n" },
		{ true, false, 0, "ID      STATE\nr1      ok\nlonger  no\n" },
		{ true, false, 13, "ID      STATE\nr1      ok\nlonger  no\n" },
		{ true, false, 12, "ID\n    STATE\nr1\n    ok\nlonger\n    no\n" },
		{ true, true, 80,
		  "\x1b[1mID\x1b[0m      \x1b[1mSTATE\x1b[0m\nr1      \x1b[32mok\x1b[0m\n"
		  "longer  no\n" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(cli_table_clear) struct cli_table t = { { "ID", "STATE" }, 2 };
		struct cli_output o = { .file = tmpfile(),
					.terminal = rows[i].terminal,
					.width = rows[i].width,
					.colour = rows[i].colour };

		cli_table_put(&t, "r1");
		cli_table_put_colour(&t, CLI_GREEN, "ok");
		cli_table_put(&t, "longer");
		cli_table_put(&t, "no");
		assert_int_equal(cli_table_print(&t, &o, "none", NULL), OK);
		assert_int_equal(cli_table_print(&t, &o, "none", NULL), OK);
		assert_string_equal(written(o.file), rows[i].want);
	}
}

static void exit_code_is_the_errors(void **state)
{
	char *argv[] = { (char *)(uintptr_t) "prog",        (char *)(uintptr_t) "thing",
			 (char *)(uintptr_t) "new",         (char *)(uintptr_t) "a",
			 (char *)(uintptr_t) "--subject=x", NULL };

	(void)state;
	assert_int_equal(cli_main(&program, 5, argv), err_map(ERR_DENIED)->exit_code);
	assert_int_equal(cli_main(&program, 3, argv), err_map(ERR_USAGE)->exit_code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_the_struct),
		cmocka_unit_test(refuses_by_name),
		cmocka_unit_test(help_shows_the_table),
		cmocka_unit_test(help_fits_the_terminal),
		cmocka_unit_test(completes_from_the_tables),
		cmocka_unit_test(device_text_cannot_drive_the_terminal),
		cmocka_unit_test(table_in_pipe_and_on_terminal),
		cmocka_unit_test(exit_code_is_the_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
