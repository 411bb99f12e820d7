/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "config/build.h"
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

const char *config_protocol_name(enum config_protocol p)
{
	static const char *const names[] = { [CONFIG_SCEP] = "scep",
					     [CONFIG_CRL] = "crl",
					     [CONFIG_OCSP] = "ocsp",
					     [CONFIG_NDES] = "ndes",
					     [CONFIG_EST] = "est" };

	return names[p];
}
