/* SPDX-License-Identifier: Apache-2.0 */
/* An export of events as lines: from the server, to a file or to the verifier. */
#ifndef CLI_CTL_AUDIT_EXPORT_H
#define CLI_CTL_AUDIT_EXPORT_H

#include "cli/ctl/commands.h"

/* A line without its end. A result other than OK stops and is returned. */
typedef enum result ctl_audit_line_fn(void *ctx, struct span line, struct err *err);

/* from, to: as audit/range.h takes them. */
RESULT ctl_audit_export(const struct cli *cli, const char *from, const char *to,
			ctl_audit_line_fn *fn, void *ctx, struct err *err);

#endif
