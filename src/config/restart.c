/* SPDX-License-Identifier: Apache-2.0 */
/* What a running server cannot take over from a new configuration. */
#include "config/config.h"

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_blocks(const struct address_block *a, const struct address_block *b, size_t n)
{
	return n == 0 || memcmp(a, b, n * sizeof(*a)) == 0;
}

static bool same_proxies(const struct config_listener *a, const struct config_listener *b)
{
	return a->n_proxies == b->n_proxies && a->proxy_optional == b->proxy_optional &&
	       same_blocks(a->proxies, b->proxies, a->n_proxies);
}

/* Whom it trusts may change: see tls_clients.h. */
static bool same_tls_proxy(const struct config_tls_proxy *a, const struct config_tls_proxy *b)
{
	return same_text(a->field, b->field) && a->format == b->format &&
	       a->n_trusted == b->n_trusted && same_blocks(a->trusted, b->trusted, a->n_trusted);
}

static bool same_listener(const struct config_listener *a, const struct config_listener *b)
{
	return same_text(a->name, b->name) && same_text(a->address, b->address) &&
	       a->port == b->port && same_text(a->tls_certificate, b->tls_certificate) &&
	       same_text(a->tls_key, b->tls_key) && same_text(a->own_ca, b->own_ca) &&
	       same_proxies(a, b) && same_tls_proxy(&a->tls_proxy, &b->tls_proxy);
}

static bool same_metrics(const struct config *a, const struct config *b)
{
	return same_text(a->metrics_socket, b->metrics_socket) &&
	       same_listener(&a->metrics, &b->metrics);
}

static bool same_listeners(const struct config *a, const struct config *b)
{
	size_t i;

	if (a->n_listeners != b->n_listeners)
		return false;
	for (i = 0; i < a->n_listeners; i++)
		if (!same_listener(&a->listeners[i], &b->listeners[i]))
			return false;
	return true;
}

static bool same_output(const struct log_output_config *a, const struct log_output_config *b)
{
	return a->kind == b->kind && a->events == b->events && a->facility == b->facility &&
	       a->enterprise == b->enterprise && a->to.transport == b->to.transport &&
	       a->to.port == b->to.port && same_text(a->to.host, b->to.host) &&
	       same_text(a->to.ca_file, b->to.ca_file);
}

static bool same_outputs(const struct config *a, const struct config *b)
{
	size_t i;

	if (a->n_outputs != b->n_outputs || a->log_stderr != b->log_stderr)
		return false;
	for (i = 0; i < a->n_outputs; i++)
		if (!same_output(&a->outputs[i], &b->outputs[i]))
			return false;
	return true;
}

static bool same_source(const struct passphrase_source *a, const struct passphrase_source *b)
{
	return a->kind == b->kind && a->fd == b->fd && same_text(a->text, b->text);
}

static bool same_keys(const struct config_keys *a, const struct config_keys *b)
{
	return same_source(&a->passphrase, &b->passphrase) && same_source(&a->pin, &b->pin) &&
	       same_text(a->store, b->store) && same_text(a->pkcs11_module, b->pkcs11_module) &&
	       same_text(a->tpm_tcti, b->tpm_tcti);
}

static bool same_limits(const struct http_limits *a, const struct http_limits *b)
{
	return a->header_bytes == b->header_bytes && a->body_bytes == b->body_bytes &&
	       a->header_seconds == b->header_seconds && a->body_seconds == b->body_seconds &&
	       a->write_seconds == b->write_seconds && a->idle_seconds == b->idle_seconds &&
	       a->connections == b->connections &&
	       a->connections_per_address == b->connections_per_address && a->queue == b->queue;
}

const char *config_needs_restart(const struct config *old, const struct config *fresh)
{
	const struct {
		const char *setting;
		bool same;
	} rows[] = {
		{ "data", same_text(old->data, fresh->data) },
		{ "user", same_text(old->user, fresh->user) },
		{ "keeper_user", same_text(old->keeper_user, fresh->keeper_user) },
		{ "admin.socket", same_text(old->admin_socket, fresh->admin_socket) },
		{ "keys", same_keys(&old->keys, &fresh->keys) },
		{ "log.access", old->access_log == fresh->access_log },
		{ "log.outputs", same_outputs(old, fresh) },
		{ "audit", old->checkpoint_events == fresh->checkpoint_events &&
			       old->checkpoint_seconds == fresh->checkpoint_seconds },
		{ "metrics", same_metrics(old, fresh) },
		{ "http.listeners", same_listeners(old, fresh) },
		{ "http.loops", old->loops == fresh->loops },
		{ "http.workers", old->workers == fresh->workers },
		{ "http.requests", old->requests == fresh->requests },
		{ "http.limits", same_limits(&old->limits, &fresh->limits) },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		if (!rows[i].same)
			return rows[i].setting;
	return NULL;
}
