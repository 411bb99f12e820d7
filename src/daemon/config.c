/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "daemon/config_build.h"
#include "token/token.h"

#define FILE_MAX (1u << 20)

struct snapshot {
	struct config config; /* first: what others hold */
	atomic_uint refs;
	struct file_config *file;
};

static const cyaml_config_t cyaml = {
	.log_fn = NULL,
	.mem_fn = cyaml_mem,
	.log_level = CYAML_LOG_ERROR,
};

static void listener_clear(struct config_listener *l)
{
	free(l->proxies);
	free(l->tls_proxy.trusted);
	foreign_crl_free(l->tls_proxy.client_crl);
	foreign_crl_free(l->client_crl);
}

static void snapshot_free(struct snapshot *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->config.n_profiles; i++)
		profile_free(s->config.profiles[i]);
	free(s->config.profiles);
	for (i = 0; i < s->config.n_endpoints; i++) {
		if (s->config.endpoints[i].policy)
			challenge_static_free(s->config.endpoints[i].policy->statics);
		free(s->config.endpoints[i].crl_directory);
		free(s->config.endpoints[i].ndes_file);
		admission_free(s->config.endpoints[i].admission);
		throttle_free(s->config.endpoints[i].throttle);
	}
	free(s->config.endpoints);
	anomalies_free(s->config.anomalies);
	for (i = 0; i < s->config.n_listeners; i++)
		listener_clear(&s->config.listeners[i]);
	operator_list_free(s->config.operators);
	free(s->config.cas);
	(void)cyaml_free(&cyaml, &config_file_schema, s->file, 0);
	free(s);
}
DEFINE_CLEANUP(struct snapshot, snapshot_free)

/* ---- the file's paths are relative to its folder ---- */

static enum result make_absolute(char **path, const char *folder, struct err *err)
{
	char *joined;

	if (!*path || **path == '/')
		return OK;
	if (asprintf(&joined, "%s/%s", folder, strncmp(*path, "./", 2) == 0 ? *path + 2 : *path) <
	    0)
		return err_nomem(err);
	/* libcyaml's allocator is malloc's, so it frees the new one as it would have the old */
	free(*path);
	*path = joined;
	return OK;
}

static enum result make_trust_absolute(struct file_trust *f, const char *folder, struct err *err)
{
	size_t i;

	TRY(make_absolute(&f->client_ca, folder, err));
	for (i = 0; i < f->client_crls_count; i++)
		if (!strstr(f->client_crls[i], "://"))
			TRY(make_absolute(&f->client_crls[i], folder, err));
	return OK;
}

static enum result make_paths_absolute(struct file_config *f, const char *config_path,
				       struct err *err)
{
	char full[PATH_MAX];
	const char *folder;
	size_t i;

	if (!realpath(config_path, full))
		return err_errno(err, errno, "%s", config_path);
	folder = dirname(full);
	TRY(make_absolute(&f->data, folder, err));
	if (f->admin && f->admin->socket)
		TRY(make_absolute(&f->admin->socket, folder, err));
	if (f->metrics)
		TRY(make_absolute(&f->metrics->socket, folder, err));
	for (i = 0; f->log && i < f->log->outputs_count; i++)
		TRY(make_absolute(&f->log->outputs[i].ca, folder, err));
	for (i = 0; i < f->http.listeners_count; i++) {
		struct file_tls *tls = f->http.listeners[i].tls;
		struct file_tls_proxy *proxy = f->http.listeners[i].tls_proxy;

		if (tls)
			TRY(make_absolute(&tls->certificate, folder, err));
		if (tls && !token_is_uri(tls->key))
			TRY(make_absolute(&tls->key, folder, err));
		if (tls)
			TRY(make_trust_absolute(&tls->trust, folder, err));
		if (proxy)
			TRY(make_trust_absolute(&proxy->trust, folder, err));
	}
	for (i = 0; i < f->endpoints_count; i++)
		if (f->endpoints[i].est)
			TRY(make_absolute(&f->endpoints[i].est->shared_keys, folder, err));
	return OK;
}

/* ---- loading ---- */

const char *config_place(char out[CONFIG_PLACE], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(out, CONFIG_PLACE, fmt, ap);
	va_end(ap);
	return out;
}

const char *config_at(struct config_item *item, const char *fmt, ...)
{
	char rest[CONFIG_PLACE / 2];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(rest, sizeof(rest), fmt, ap);
	va_end(ap);
	return config_place(item->place, "%s[%zu].%s", item->list, item->i, rest);
}

void config_check_name(struct config_build *b, const char *place, const char *name)
{
	size_t n =
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	if (n == 0 || n >= STORE_NAME_MAX || name[n])
		config_yaml_complain(&b->yaml, place,
				     "\"%s\" is no name: write 1 to %d of A-Z, a-z, 0-9, '.', '_' "
				     "and '-'",
				     name, STORE_NAME_MAX - 1);
}

static enum result build(struct config_build *b, struct err *err)
{
	TRY(config_build_server(b, err));
	TRY(config_build_operators(b, err));
	TRY(config_build_profiles(b, err));
	TRY(config_build_anomalies(b, err));
	TRY(config_build_endpoints(b, err));
	return config_build_cas(b, err); /* whose profiles are known by now */
}

/* The document against the schema, then the schema's structs, then what they mean. */
static enum result fill(struct config_build *b, struct snapshot *s, const char *path,
			struct span text, struct err *err)
{
	cyaml_err_t failed;

	config_yaml_check(&b->yaml, &config_file_schema);
	if (b->yaml.n_complaints)
		return OK;
	failed = cyaml_load_data(text.p, text.len, &cyaml, &config_file_schema,
				 (cyaml_data_t **)&s->file, NULL);
	if (failed == CYAML_ERR_OOM)
		return err_nomem(err);
	if (failed != CYAML_OK) {
		config_yaml_complain(&b->yaml, "", "%s", cyaml_strerror(failed));
		return OK;
	}
	TRY(make_paths_absolute(s->file, path, err));
	b->file = s->file;
	b->config = &s->config;
	return build(b, err);
}

static enum result judge(struct config_build *b, struct buf *complaints, struct err *err)
{
	struct span all = buf_span(&b->yaml.complaints);

	TRY(buf_check(&b->yaml.complaints, err));
	if (complaints)
		buf_put(complaints, all);
	if (!b->yaml.n_complaints)
		return OK;
	return err_set(err, ERR_CONFIG, "%.*s", (int)span_find(all, '\n'), (const char *)all.p);
}

static void build_clear(struct config_build *b)
{
	config_yaml_clear(&b->yaml);
}

enum result config_load(const struct config **out, const char *path, enum config_scope scope,
			struct buf *complaints, struct err *err)
{
	CLEANUP(snapshot_freep) struct snapshot *s = calloc(1, sizeof(*s));
	CLEANUP(build_clear) struct config_build b = { .scope = scope };
	BUF text = BUF_INIT;

	if (!s)
		return err_nomem(err);
	atomic_init(&s->refs, 1);
	TRY(file_read(path, FILE_MAX, &text, err));
	TRY(config_yaml_parse(&b.yaml, path, buf_span(&text), err));
	TRY(fill(&b, s, path, buf_span(&text), err));
	TRY(judge(&b, complaints, err));
	*out = &take(s)->config;
	return OK;
}

const struct config *config_ref(const struct config *c)
{
	/* the count is the one thing in a snapshot that changes */
	struct snapshot *s = (struct snapshot *)(uintptr_t)c;

	atomic_fetch_add(&s->refs, 1);
	return c;
}

void config_unref(const struct config *c)
{
	struct snapshot *s = (struct snapshot *)(uintptr_t)c;

	if (s && atomic_fetch_sub(&s->refs, 1) == 1)
		snapshot_free(s);
}

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

/* ---- routing ---- */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* How far path is the segments of e's, in which repeated slashes count as one; 0: it is not. */
static size_t match(struct span path, const struct config_endpoint *e)
{
	const char *prefix = e->path;
	size_t i = 0;

	for (; *prefix; prefix++) {
		const uint8_t want = (uint8_t)*prefix;

		if (i >= path.len ||
		    (path.p[i] != want && !(e->nocase && lower(path.p[i]) == lower(want))))
			return 0;
		i++;
		while (*prefix == '/' && i < path.len && path.p[i] == '/')
			i++;
	}
	return i == path.len || path.p[i] == '/' ? i : 0;
}

struct span config_behind(const struct config_endpoint *e, struct span path)
{
	return span_sub(path, match(path, e), SIZE_MAX);
}

const struct config_endpoint *config_route(const struct config *c, size_t listener,
					   struct span path)
{
	const struct config_endpoint *best = NULL;
	size_t i;

	for (i = 0; i < c->n_endpoints; i++) {
		const struct config_endpoint *e = &c->endpoints[i];

		if ((e->listeners >> listener & 1) && match(path, e) &&
		    (!best || strlen(e->path) > strlen(best->path)))
			best = e;
	}
	return best;
}
