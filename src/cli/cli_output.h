/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person sees, and what a script sees: on a terminal aligned tables with a head and some
 * colour; in a pipe the same cells between tabs, plain; with --json the objects alone. Text that
 * came from a device is never passed to the terminal raw: control characters are escaped.
 */
#ifndef CLI_CLI_OUTPUT_H
#define CLI_CLI_OUTPUT_H

#include <stdio.h>

#include <jansson.h>

#include "base/buf.h"

struct cli_output {
	FILE *file;
	bool json;
	bool terminal;
	bool colour; /* off where NO_COLOR is set or TERM is "dumb" */
};

enum cli_colour { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_GREEN, CLI_RED, CLI_YELLOW };

void cli_output_init(struct cli_output *o, FILE *file, bool json);

/* A line in a colour, if there are any. */
void cli_output_line(const struct cli_output *o, enum cli_colour colour, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* "Name:      value", names of one block aligned by width. */
void cli_output_pair(const struct cli_output *o, const char *name, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Text with control characters escaped as \xNN, in a colour. */
void cli_output_text(const struct cli_output *o, enum cli_colour colour, const char *text);
/* The value, indented on a terminal, on one line in a pipe. */
RESULT cli_output_json(const struct cli_output *o, const json_t *value, struct err *err);
/* Bytes as they are, to the file at path, or to the output where path is NULL. */
RESULT cli_output_bytes(const struct cli_output *o, const char *path, struct span bytes,
			struct err *err);

#define CLI_COLUMNS_MAX 8

struct cli_table {
	const char *heads[CLI_COLUMNS_MAX];
	size_t columns;
	struct buf cells; /* text of each with its NUL, row by row */
	size_t n;
};

/* A cell more; text may be NULL. Rows fill themselves. */
void cli_table_put(struct cli_table *t, const char *text);
/* ERR_NOMEM. `empty` is what a person reads when there is no row. */
RESULT cli_table_print(const struct cli_table *t, const struct cli_output *o, const char *empty,
		       struct err *err);
void cli_table_clear(struct cli_table *t);

#endif
