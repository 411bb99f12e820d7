/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person sees, and what a script sees: on a terminal some colour, in a pipe plain text, with
 * --json the objects alone. Text that came from a device is never passed to the terminal raw:
 * control characters are escaped.
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
	size_t width; /* of the terminal, in characters; 0: not known */
	bool colour;  /* off where NO_COLOR is set or TERM is "dumb" */
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
/*
 * What takes long, for whoever watches: a line on standard error, which the next one takes the
 * place of. Nothing where that is no terminal.
 */
void cli_output_progress(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Before anything else is said. */
void cli_output_progress_end(void);
/* The value, indented on a terminal, on one line in a pipe. */
RESULT cli_output_json(const struct cli_output *o, const json_t *value, struct err *err);
/* Bytes as they are, to the file at path, or to the output where path is NULL. */
RESULT cli_output_bytes(const struct cli_output *o, const char *path, struct span bytes,
			struct err *err);

#endif
