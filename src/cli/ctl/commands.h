/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of scepterctl, a file each, and how they ask the server. */
#ifndef CLI_CTL_COMMANDS_H
#define CLI_CTL_COMMANDS_H

#include <stddef.h>

#include <jansson.h>

#include "cli/cli.h"

struct ctl_globals {
	const char *socket;
	const char *url;
	const char *cert;
	const char *key;
	const char *ca;
	const char *user;
	const char *password_file;
};

/* For completion. */
#define CTL_KEY_TYPES "p256 p384 p521 rsa2048 rsa3072 rsa4096 ed25519 ml-dsa-44 ml-dsa-65 ml-dsa-87"

#define CTL_SOCKET "/run/scepter/admin.sock"

extern const struct cli_command ctl_status;
extern const struct cli_command ctl_ca;
extern const struct cli_command ctl_challenge;
extern const struct cli_command ctl_device;
extern const struct cli_command ctl_cert;
extern const struct cli_command ctl_crl;
extern const struct cli_command ctl_key;
extern const struct cli_command ctl_request;
extern const struct cli_command ctl_explain;
extern const struct cli_command ctl_audit;
extern const struct cli_command ctl_backup;

/*
 * Asks the admin API: GET or DELETE where body is NULL, else POST. The answer is the caller's to
 * release. An error of the server comes back as it was there, so that the exit code is the same.
 */
RESULT ctl_api_get(const struct cli *cli, const char *path, json_t **answer, struct err *err);
RESULT ctl_api_post(const struct cli *cli, const char *path, const json_t *body, json_t **answer,
		    struct err *err);
/* The same for what takes long: doing, "making the keys", is shown meanwhile. */
RESULT ctl_api_post_long(const struct cli *cli, const char *doing, const char *path,
			 const json_t *body, json_t **answer, struct err *err);
/* What is not JSON: as it comes. */
RESULT ctl_api_fetch(const struct cli *cli, const char *path, struct buf *out, struct err *err);
RESULT ctl_api_delete(const struct cli *cli, const char *path, json_t **answer, struct err *err);

/* Appends "/v1/certs/" and the encoded part. */
void ctl_api_path(struct buf *out, const char *prefix, const char *part);
/* Appends "?name=value" or "&name=value"; nothing where value is NULL. */
void ctl_api_query(struct buf *out, const char *name, const char *value);

/* Field of an answer as text; "" where it is missing or null. */
const char *ctl_api_text(const json_t *object, const char *field);
/* Sets a field of a request, unless value is NULL. */
void ctl_api_set(json_t *object, const char *field, const char *value);

#define CLEANUP_JSON CLEANUP(json_decrefp) json_t *

#endif
