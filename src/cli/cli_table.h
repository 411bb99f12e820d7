/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table: on a terminal with a head, columns aligned, and a row on several lines where the
 * terminal is too narrow for it; in a pipe the cells alone, between tabs, a row a line.
 */
#ifndef CLI_CLI_TABLE_H
#define CLI_CLI_TABLE_H

#include "cli/cli_output.h"

#define CLI_COLUMNS_MAX 8

struct cli_table {
	const char *heads[CLI_COLUMNS_MAX];
	size_t columns;
	struct buf cells; /* of each its colour, its text, a NUL; row by row */
	size_t n;
	size_t widths[CLI_COLUMNS_MAX]; /* so far */
	bool begun;                     /* the head stands there already */
};

/* A cell more; text may be NULL. Rows fill themselves. */
void cli_table_put(struct cli_table *t, const char *text);
void cli_table_put_colour(struct cli_table *t, enum cli_colour colour, const char *text);
void cli_table_put_number(struct cli_table *t, long long number);
/*
 * Prints the rows, which are gone then: what is put afterwards goes on beneath. `empty` is what a
 * person reads when there is no row from the beginning; NULL: nothing. ERR_NOMEM.
 */
RESULT cli_table_print(struct cli_table *t, const struct cli_output *o, const char *empty,
		       struct err *err);
void cli_table_clear(struct cli_table *t);

#endif
