/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that come in pages: the options that they share, and how they are asked for. */
#ifndef CLI_CTL_LIST_H
#define CLI_CTL_LIST_H

#include "cli/ctl/commands.h"

/* First in the options of a command that lists. */
struct ctl_list {
	bool all;
	const char *cursor;
	const char *limit;
};

/* In a command's options: what --all adds; the page. */
#define CTL_LIST_ALL(help)                                                                         \
	{                                                                                          \
		"--all", CLI_FLAG, offsetof(struct ctl_list, all), NULL, help                      \
	}
#define CTL_LIST_PAGE                                                                              \
	{ "--cursor", CLI_TEXT, offsetof(struct ctl_list, cursor), "TEXT",                         \
	  "go on where the page before ended, which said it" },                                    \
	{                                                                                          \
		"--limit", CLI_TEXT, offsetof(struct ctl_list, limit), "N",                        \
		    "at most, up to 1000; default 100"                                             \
	}

/* A cell with a number of a row, or with its state in the colour that it deserves. */
void ctl_list_put_number(struct cli_table *t, const json_t *row, const char *field);
void ctl_list_put_state(struct cli_table *t, const char *state);

struct ctl_list_shown {
	const char *rows; /* the field of the answer that has them */
	/* shows them to a person */
	RESULT (*put)(const struct cli *cli, const json_t *rows, struct err *err);
};
/* A page that was answered, or all of it as JSON. */
RESULT ctl_list_show(const struct cli *cli, const json_t *answer,
		     const struct ctl_list_shown *shown, struct err *err);
/* GETs a page of what is at path, which may have a query already, and shows it. */
RESULT ctl_list_run(const struct cli *cli, const char *path, const struct ctl_list *list,
		    const struct ctl_list_shown *shown, struct err *err);

#endif
