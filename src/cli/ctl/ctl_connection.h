/* SPDX-License-Identifier: Apache-2.0 */
/* Where the server is, and as whom it is asked: its Unix socket, or a URL of its admin API. */
#ifndef CLI_CTL_CONNECTION_H
#define CLI_CTL_CONNECTION_H

#include "cli/ctl/commands.h"
#include "net/http_client.h"

struct ctl_connection {
	const char *socket; /* NULL: by URL */
	struct buf url;     /* "https://ca.example:8443", with a NUL behind it */
	const char *base;   /* of the URLs asked for */
	struct http_client *client;
};

/*
 * By the options, or else the environment; opened once and kept by cli. ERR_USAGE: options that do
 * not go together.
 */
RESULT ctl_connection_get(const struct cli *cli, struct ctl_connection **out, struct err *err);
/* Why nobody answered, in words about this server; err has what the HTTP client said. */
RESULT ctl_connection_failed(const struct ctl_connection *c, struct err *err);

#endif
