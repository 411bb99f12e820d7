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

/* GETs a page of what is at path, which may have a query already. */
RESULT ctl_list_get(const struct cli *cli, const char *path, const struct ctl_list *list,
		    json_t **answer, struct err *err);
/* Tells a person how to see the next page, if there is one. */
void ctl_list_tell_more(const struct cli *cli, const json_t *answer);

#endif
