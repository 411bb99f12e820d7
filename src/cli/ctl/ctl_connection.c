/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ctl/ctl_connection.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"

#define SECONDS 120 /* making a CA with RSA-4096 keys takes its time */
#define PEM_MAX (1u << 20)
#define PASSWORD_MAX 1024

/* What is needed until the client has copies of it. */
struct credentials {
	struct buf cert, key;
	struct secret password;
};

static void credentials_clear(struct credentials *c)
{
	buf_clear(&c->cert);
	buf_wipe(&c->key);
	secret_clear(&c->password);
}

static void connection_free(struct ctl_connection *c)
{
	if (!c)
		return;
	http_client_free(c->client);
	buf_clear(&c->url);
	free(c);
}
DEFINE_CLEANUP(struct ctl_connection, connection_free)

static void free_kept(void *thing)
{
	connection_free(thing);
}

static const char *either(const char *option, const char *variable)
{
	const char *text = option ? option : getenv(variable);

	return text && *text ? text : NULL;
}

static RESULT set_url(struct ctl_connection *c, const char *url, struct err *err)
{
	size_t len = strlen(url);

	if (strncasecmp(url, "https://", 8) != 0)
		return err_set(err, ERR_USAGE,
			       "--url: \"%.200s\" does not begin with https://; for this machine "
			       "use --socket",
			       url);
	while (len && url[len - 1] == '/')
		len--;
	buf_put(&c->url, span_of(url, len));
	c->base = buf_cstr(&c->url);
	return c->base ? OK : err_nomem(err);
}

static RESULT set_cert(struct credentials *c, const char *cert, const char *key,
		       struct http_client_config *config, struct err *err)
{
	if (!cert && !key)
		return OK;
	if (!cert || !key)
		return err_set(err, ERR_USAGE, "--cert and --key go together, before the command");
	TRY(file_read(cert, PEM_MAX, &c->cert, err));
	TRY(file_read(key, PEM_MAX, &c->key, err));
	config->cert_pem = buf_span(&c->cert);
	config->key_pem = buf_span(&c->key);
	return OK;
}

static RESULT set_password(struct credentials *c, const char *user, const char *file,
			   struct http_client_config *config, struct err *err)
{
	if (!user && !file)
		return OK;
	if (!user || !file)
		return err_set(err, ERR_USAGE, "--user and --password-file go together");
	TRY(secret_read_file(&c->password, file, PASSWORD_MAX, err));
	config->user = user;
	config->password = secret_span(&c->password);
	return OK;
}

static RESULT by_url(const struct ctl_globals *o, struct credentials *c,
		     struct http_client_config *config, struct err *err)
{
	if (o->socket)
		return err_set(err, ERR_USAGE, "--url or --socket, not both");
	TRY(set_cert(c, either(o->cert, "SCEPTER_CERT"), either(o->key, "SCEPTER_KEY"), config,
		     err));
	TRY(set_password(c, either(o->user, "SCEPTER_USER"),
			 either(o->password_file, "SCEPTER_PASSWORD_FILE"), config, err));
	config->ca_file = either(o->ca, "SCEPTER_CA");
	return OK;
}

static RESULT by_socket(struct ctl_connection *c, const struct ctl_globals *o,
			struct http_client_config *config, struct err *err)
{
	if (o->cert || o->key || o->ca || o->user || o->password_file)
		return err_set(err, ERR_USAGE,
			       "--cert, --key, --ca, --user and --password-file are for --url");
	c->socket = either(o->socket, "SCEPTER_SOCKET");
	if (!c->socket)
		c->socket = CTL_SOCKET;
	config->unix_socket = c->socket;
	c->base = "http://localhost";
	return OK;
}

static RESULT open_connection(struct ctl_connection *c, const struct ctl_globals *o,
			      struct err *err)
{
	struct http_client_config config = { .total_seconds = SECONDS,
					     .body_max = (size_t)64 << 20 };
	CLEANUP(credentials_clear) struct credentials credentials = { { 0 } };
	const char *url = o->url || !o->socket ? either(o->url, "SCEPTER_URL") : NULL;

	if (url) {
		TRY(set_url(c, url, err));
		TRY(by_url(o, &credentials, &config, err));
	} else {
		TRY(by_socket(c, o, &config, err));
	}
	return http_client_new(&c->client, &config, err);
}

enum result ctl_connection_get(const struct cli *cli, struct ctl_connection **out, struct err *err)
{
	CLEANUP(connection_freep) struct ctl_connection *c = NULL;

	if (!cli->kept->thing) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return err_nomem(err);
		TRY(open_connection(c, cli->globals, err));
		*cli->kept = (struct cli_kept){ take(c), free_kept };
	}
	*out = cli->kept->thing;
	return OK;
}

/* What the HTTP client says of it is about networks. */
enum result ctl_connection_failed(const struct ctl_connection *c, struct err *err)
{
	const char *path = c->socket;

	if (!path)
		return ERR_IO;
	if (access(path, R_OK | W_OK) != 0 && errno == EACCES)
		return err_set(err, ERR_DENIED,
			       "%s: for root and the user of scepterd only; try with sudo", path);
	if (access(path, F_OK) != 0)
		return err_errno(err, errno,
				 "scepterd: not running, or its admin socket is not the one that "
				 "--socket or SCEPTER_SOCKET names: %s",
				 path);
	return err_set(err, ERR_IO, "%s: nobody answers; is scepterd running?", path);
}
