/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML file with the line of everything in it, and its complaints. libcyaml fills structs, but
 * says of an error only roughly where it is and takes "3x" for a number: so the document is held
 * against the same schema here first, and each complaint has its own line.
 */
#ifndef CONFIG_YAML_DOC_H
#define CONFIG_YAML_DOC_H

#include <cyaml/cyaml.h>
#include <yaml.h>

#include "base/buf.h"

struct config_yaml {
	const char *name; /* of the file, for complaints; borrowed */
	bool parsed;
	yaml_document_t document;
	struct buf complaints; /* a line each */
	unsigned n_complaints;
};

/* Text that is no YAML is a complaint; ERR_NOMEM is the only error. */
RESULT config_yaml_parse(struct config_yaml *y, const char *name, struct span text,
			 struct err *err);
void config_yaml_clear(struct config_yaml *y);

/* Unknown and repeated keys, wrong types, missing settings, lengths: a complaint each. */
void config_yaml_check(struct config_yaml *y, const cyaml_schema_value_t *schema);

/* A complaint about a place like "endpoints[1].profile"; one that is not there has the line of
 * what it would be in. */
void config_yaml_complain(struct config_yaml *y, const char *path, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
