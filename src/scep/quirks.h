/* SPDX-License-Identifier: Apache-2.0 */
/* What devices of a make need of their endpoint, as data. Each setting can be overridden there. */
#ifndef SCEP_QUIRKS_H
#define SCEP_QUIRKS_H

#include <stdbool.h>
#include <stddef.h>

struct scep_quirks {
	const char *name; /* "cisco-ios" */
	bool include_ca;  /* the CA certificate behind the issued one */
};

/* NULL: unknown. */
const struct scep_quirks *scep_quirks_find(const char *name);
/* Row i of the table; NULL behind the last. */
const struct scep_quirks *scep_quirks_at(size_t i);

#endif
