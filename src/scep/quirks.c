/* SPDX-License-Identifier: Apache-2.0 */
#include "scep/quirks.h"

#include <string.h>

#include "base/attr.h"

static const struct scep_quirks quirks[] = {
	{ .name = "apple" },
	/* its VPN builds the chain from the reply alone */
	{ .name = "cisco-ios", .include_ca = true },
	{ .name = "fortinet" },
	/* refuses a reply with any other certificate */
	{ .name = "juniper", .include_ca = false },
	{ .name = "mikrotik" },
	{ .name = "windows" },
};

const struct scep_quirks *scep_quirks_at(size_t i)
{
	return i < ARRAY_LEN(quirks) ? &quirks[i] : NULL;
}

const struct scep_quirks *scep_quirks_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(quirks); i++)
		if (strcmp(quirks[i].name, name) == 0)
			return &quirks[i];
	return NULL;
}
