/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody meant who mistyped a word: the known one that is nearest, if it is near. */
#ifndef CLI_CLI_SUGGEST_H
#define CLI_CLI_SUGGEST_H

#include "base/span.h"

struct cli_suggest {
	struct span word;
	const char *best; /* NULL: none is near */
	size_t distance;  /* of that */
};

/* Is it this one? */
void cli_suggest_try(struct cli_suggest *s, const char *name);

#endif
