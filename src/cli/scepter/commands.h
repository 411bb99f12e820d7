/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of `scepter`, a file each. */
#ifndef CLI_SCEPTER_COMMANDS_H
#define CLI_SCEPTER_COMMANDS_H

#include "cli/cli.h"

/* For completion. */
#define SCEPTER_KEY_TYPES "rsa2048 rsa3072 rsa4096 p256 p384 p521 ed25519"
#define SCEPTER_PROTOCOLS "scep est"

extern const struct cli_command scepter_enrol;
extern const struct cli_command scepter_poll;
extern const struct cli_command scepter_renew;
extern const struct cli_command scepter_getcert;
extern const struct cli_command scepter_getcrl;
extern const struct cli_command scepter_getca;
extern const struct cli_command scepter_getnextca;
extern const struct cli_command scepter_decode;

#endif
