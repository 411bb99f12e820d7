/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of `scepterctl ca` share. */
#ifndef CLI_CTL_CTL_CA_H
#define CLI_CTL_CTL_CA_H

#include <stddef.h>

#include "cli/ctl/commands.h"

/* A CA as the API tells it, for a person. */
void ctl_ca_put(const struct cli_output *o, const json_t *ca);
/* The PKCS#10 (PEM) whose certificate it awaits; "": none. */
const char *ctl_ca_request(const json_t *ca);

/* ---- ctl_ca_life.c: options and functions of its commands ---- */

struct ctl_ca_rollover {
	const char *name;
	const char *at;
	const char *key;
	bool cancel;
};

struct ctl_ca_ask {
	const char *name;
	const char *out;
};

struct ctl_ca_import {
	const char *name;
	const char *chain;
};

extern const struct cli_option ctl_ca_rollover_options[];
extern const struct cli_option ctl_ca_ask_options[];
extern const struct cli_option ctl_ca_import_options[];

cli_run ctl_ca_run_rollover;
cli_run ctl_ca_run_ask;
cli_run ctl_ca_run_import;

#endif
