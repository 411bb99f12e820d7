/* SPDX-License-Identifier: Apache-2.0 */
/* One thing of the server's, a line for each of its fields. */
#ifndef CLI_CTL_SHOW_H
#define CLI_CTL_SHOW_H

#include "cli/ctl/commands.h"

struct ctl_field {
	const char *name;  /* for people */
	const char *field; /* of the answer */
};

/* GETs what is at path, and shows those of the fields that it has, in order; or all as JSON. */
RESULT ctl_show_run(const struct cli *cli, const char *path, const struct ctl_field *fields,
		    size_t n, struct err *err);

#endif
