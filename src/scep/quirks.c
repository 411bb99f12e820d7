/* SPDX-License-Identifier: Apache-2.0 */
#include "scep/quirks.h"

#include <string.h>

#include "base/attr.h"

#define DEFAULTS .offer_post = true, .require_nonce = true

const struct scep_habits scep_habits_default = { DEFAULTS };

/* In the order of their names; what a row does not say is as RFC 8894 has it. */
static const struct scep_quirks quirks[] = {
	/* asks for a validity as Windows does, with the two values the other way round */
	{ "android", { DEFAULTS, .asked_validity = true } },
	/* old iOS leaves out senderNonce */
	{ "apple", { .offer_post = true, .require_nonce = false } },
	/* its VPN builds the chain from the reply alone */
	{ "cisco-ios", { DEFAULTS, .include_ca = true } },
	{ "fortinet", { DEFAULTS } },
	/* refuses a reply with any other certificate */
	{ "juniper", { DEFAULTS, .include_ca = false } },
	{ "lancom", { DEFAULTS } },
	/* leaves out senderNonce */
	{ "mikrotik", { .offer_post = true, .require_nonce = false } },
	{ "palo-alto", { DEFAULTS } },
	/* leaves out senderNonce at times; ValidityPeriod comes from its management */
	{ "windows", { .offer_post = true, .require_nonce = false, .asked_validity = true } },
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
