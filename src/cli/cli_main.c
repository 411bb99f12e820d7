/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <jansson.h>

/* In JSON too, where asked for, so that a script reads one language. */
static void print_error(const struct cli_parse *p, enum result code, const struct err *err)
{
	struct cli_output to;
	json_t *object;

	cli_output_init(&to, stderr, p->json);
	if (p->json) {
		object = json_pack("{s:s, s:s}", "error", err_name(code), "message", err_text(err));
		if (!object || cli_output_json(&to, object, NULL) != OK)
			(void)fprintf(stderr, "%s\n", err_name(code));
		json_decref(object);
		return;
	}
	cli_output_text(&to, CLI_RED, p->program->name);
	(void)fputs(": ", stderr);
	cli_output_text(&to, CLI_PLAIN, err_text(err));
	(void)fputc('\n', stderr);
	if (p->no_command)
		cli_help_print(stderr, p, to.width);
	else if (code == ERR_USAGE)
		(void)fprintf(stderr, "Try \"%s%s%s%s%s --help\".\n", p->program->name,
			      p->depth > 0 ? " " : "", p->depth > 0 ? p->path[0]->name : "",
			      p->depth > 1 ? " " : "", p->depth > 1 ? p->path[1]->name : "");
}

static void kept_clear(struct cli_kept *kept)
{
	if (kept->free)
		kept->free(kept->thing);
}

static RESULT run(struct cli_parse *p, struct err *err)
{
	CLEANUP(kept_clear) struct cli_kept kept = { NULL, NULL };
	struct cli cli = { .program = p->program, .globals = p->globals, .kept = &kept };

	cli_output_init(&cli.out, stdout, p->json);
	if (p->help) {
		cli_help_print(stdout, p, cli.out.width);
		return OK;
	}
	if (p->version) {
		(void)printf("%s %s\n", p->program->name, SCEPTER_VERSION);
		return OK;
	}
	return p->path[p->depth - 1]->run(&cli, p->opts, err);
}

int cli_main(const struct cli_program *program, int argc, char **argv)
{
	CLEANUP(cli_parse_clear) struct cli_parse p = { .program = program };
	struct err err = { 0 };
	enum result r;

	if (cli_complete_wanted(argc, argv)) {
		cli_complete_print(stdout, program, argc - 2, argv + 2);
		return 0;
	}
	r = cli_parse_args(&p, program, argc, argv, &err);
	if (r == OK)
		r = run(&p, &err);
	if (r == OK && fflush(stdout) != 0)
		r = err_set(&err, ERR_IO, "standard output: cannot write");
	if (r != OK)
		print_error(&p, r, &err);
	return err_map(r)->exit_code;
}
