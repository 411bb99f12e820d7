/* SPDX-License-Identifier: Apache-2.0 */
/* endpoints of protocol est. */
#include <string.h>

#include "config/build.h"
#include "est/shared_keys.h"

#define ROOT "/.well-known/est"
#define RETRY_MAX 86400

struct making {
	struct config_item item;
	const struct file_endpoint *f;
	struct config_endpoint *e;
};

/* RFC 7030 3.2.2: the root, or one label behind it that is no operation's name. */
static void check_path(struct making *m)
{
	static const char *const operations[] = { "cacerts", "simpleenroll", "simplereenroll",
						  "fullcmc", "serverkeygen", "csrattrs" };
	const char *path = m->f->path, *label = path + strlen(ROOT);
	size_t i;

	if (strncmp(path, ROOT, strlen(ROOT)) != 0 || (*label && *label != '/') ||
	    (*label && strchr(label + 1, '/'))) {
		COMPLAIN(m, AT(m, "path"),
			 "EST clients look under " ROOT " only: it must be that, or a label "
			 "behind it, as in " ROOT "/sensors");
		return;
	}
	for (i = 0; i < ARRAY_LEN(operations); i++)
		if (*label && strcmp(label + 1, operations[i]) == 0)
			COMPLAIN(m, AT(m, "path"),
				 "an operation of EST has this name; choose another");
}

/* Where none are named, the endpoint is on all, and plain ones refuse it request by request. */
static void check_listeners(struct making *m)
{
	const struct config *c = m->item.b->config;
	bool tls = false;
	size_t i;

	for (i = 0; i < c->n_listeners; i++) {
		if (!(m->e->listeners & 1u << i))
			continue;
		tls |= config_listener_is_tls(&c->listeners[i]);
		if (m->f->listeners_count && !config_listener_is_tls(&c->listeners[i]))
			COMPLAIN(m, AT(m, "listeners"),
				 "EST is spoken over TLS only; name listeners that have tls, or "
				 "tls_proxy");
	}
	if (!tls && !m->f->listeners_count)
		COMPLAIN(m, AT(m, "protocol"),
			 "EST is spoken over TLS only; give a listener under http.listeners a "
			 "certificate and a key (tls)");
}

static bool asks_for_certificates(const struct config_listener *l)
{
	return l->tls_proxy.field || (l->tls_certificate && l->clients != TLS_CLIENTS_NONE);
}

/* TLS that ends at a proxy leaves nothing to link a request with. */
static void check_binding(struct making *m)
{
	const struct config *c = m->item.b->config;
	bool proxied = false, own = false;
	size_t i;

	for (i = 0; i < c->n_listeners; i++) {
		if (!(m->e->listeners & 1u << i))
			continue;
		own |= c->listeners[i].tls_certificate != NULL;
		proxied |= c->listeners[i].tls_proxy.field != NULL;
	}
	if (m->e->est.binding == EST_BINDING_REQUIRED && proxied && !own)
		COMPLAIN(m, AT(m, "est.channel_binding"),
			 "cannot be had where TLS ends at a proxy (tls_proxy): a request is linked "
			 "with the proxy's connection, of which this server knows nothing; write "
			 "optional, or give the endpoint a listener with tls");
}

/* Client certificates are asked for by the listener. */
static void check_certificates(struct making *m)
{
	const struct file_authorisation *f = &m->f->authorisation;
	const struct config *c = m->item.b->config;
	bool asked = false;
	size_t i;

	for (i = 0; i < c->n_listeners; i++)
		asked |= m->e->listeners & 1u << i && asks_for_certificates(&c->listeners[i]);
	if (!asked && (f->renewal || f->certificates || f->registrars))
		COMPLAIN(m, AT(m, "authorisation"),
			 "renewal, certificates and registrars mean client certificates, which no "
			 "listener of this endpoint asks for: set tls.client_certificates: "
			 "request there");
}

static void read_password_rule(struct making *m, const struct file_est *f)
{
	const struct file_authorisation *a = &m->f->authorisation;

	m->e->est.both = f->both;
	if (f->both && (!a->certificates || !(a->accounts || a->one_time || a->statics_count)))
		COMPLAIN(m, AT(m, "est.certificate_and_password"),
			 "needs authorisation.certificates: true, and one of accounts, one_time "
			 "and static");
}

/* The keys are looked at, and not kept: each is read when a device asks for it. */
static void read_server_keys(struct making *m, const struct file_est *f)
{
	struct err err = { 0 };

	m->e->est.server_keys = (enum est_server_keys)f->server_keys;
	m->e->est.shared_keys = f->shared_keys;
	if (f->server_keys != EST_KEYS_OFF && m->f->approval == FILE_APPROVAL_MANUAL)
		COMPLAIN(m, AT(m, "est.server_keys"),
			 "does not go with approval: manual: the key is kept nowhere, so that it "
			 "cannot wait");
	if (f->shared_keys && f->server_keys == EST_KEYS_OFF)
		COMPLAIN(m, AT(m, "est.shared_keys"),
			 "serves to encrypt keys that are made here: set server_keys: encrypted");
	if (f->shared_keys && m->item.b->scope == CONFIG_AND_FILES &&
	    est_shared_keys_check(f->shared_keys, &err) != OK)
		COMPLAIN(m, AT(m, "est.shared_keys"), "%s", err_text(&err));
}

static void read_settings(struct making *m)
{
	const struct file_est *f = m->f->est;
	struct err err = { 0 };
	int64_t seconds = 0;

	if (!f)
		return;
	m->e->est.binding = (enum est_binding)f->channel_binding;
	read_server_keys(m, f);
	m->e->est.full_cmc = f->full_cmc;
	read_password_rule(m, f);
	if (!f->retry_after)
		return;
	if (clock_parse_duration(f->retry_after, &seconds, &err) != OK)
		COMPLAIN(m, AT(m, "est.retry_after"), "%s", err_text(&err));
	else if (seconds < 1 || seconds > RETRY_MAX)
		COMPLAIN(m, AT(m, "est.retry_after"), "must be from 1s to 1d");
	else
		m->e->est.retry_after = (unsigned)seconds;
}

void config_build_est(struct config_build *b, size_t i)
{
	struct making m = { .item = { .b = b, .list = "endpoints", .i = i },
			    .f = &b->file->endpoints[i],
			    .e = &b->config->endpoints[i] };

	m.e->est.name = m.f->name;
	m.e->est.accounts = m.f->authorisation.accounts;
	m.e->est.certificates = m.f->authorisation.certificates;
	m.e->est.registrars = m.f->authorisation.registrars;
	m.e->est.allow_sha1 = m.f->legacy == FILE_LEGACY_SHA1_3DES;
	if (m.f->legacy == FILE_LEGACY_MD5_DES)
		COMPLAIN(&m, AT(&m, "legacy"),
			 "EST takes requests signed with SHA-1 at the least: write sha1-3des");
	check_path(&m);
	check_listeners(&m);
	check_certificates(&m);
	read_settings(&m);
	check_binding(&m);
}
