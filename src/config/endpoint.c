/* SPDX-License-Identifier: Apache-2.0 */
/* endpoints: each setting checked, what their protocols need made of them. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "config/build.h"
#include "scep/quirks.h"

#define PENDING_LIFETIME (7 * (int64_t)86400)

struct making {
	struct config_item item;
	const struct file_endpoint *f;
	struct config_endpoint *e;
	struct enrol_policy *policy; /* where devices enrol */
};

static void check_path(struct making *m)
{
	const char *path = m->f->path;
	size_t len = strlen(path), n;

	n = strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/");
	if (path[0] != '/' || path[len - 1] == '/' || strstr(path, "//") || n < len)
		COMPLAIN(m, AT(m, "path"),
			 "\"%s\" must begin with '/', not end with it, and hold letters, digits "
			 "and -._~ between single slashes, as in /scep/demo",
			 path);
}

/* "." and ".." never arrive: whoever makes a request takes them out (RFC 3986 5.2.4). */
static void check_segments(struct making *m)
{
	const char *p = m->f->path;
	size_t n;

	while (*p == '/') {
		n = strcspn(++p, "/");
		if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			COMPLAIN(m, AT(m, "path"),
				 "\"%s\" has \"%.*s\" between slashes, which no client sends; "
				 "write the path without it",
				 m->f->path, (int)n, p);
		p += n;
	}
}

/* Paths of an NDES are written in any case, as those of an IIS may be. */
static bool is_nocase(const struct file_endpoint *f)
{
	return f->protocol == FILE_PROTOCOL_NDES || strncasecmp(f->path, "/certsrv/", 9) == 0;
}

static void check_is_new(struct making *m)
{
	size_t j;

	for (j = 0; j < m->item.i; j++) {
		const struct file_endpoint *other = &m->item.b->file->endpoints[j];

		if (strcmp(m->f->name, other->name) == 0)
			COMPLAIN(m, AT(m, "name"),
				 "\"%s\" is the name of endpoints[%zu] already; choose another",
				 m->f->name, j);
		if (is_nocase(m->f) ? strcasecmp(m->f->path, other->path) == 0
				    : strcmp(m->f->path, other->path) == 0)
			COMPLAIN(m, AT(m, "path"),
				 "\"%s\" is the path of endpoints[%zu] already; choose another",
				 m->f->path, j);
	}
}

static void build_ca(struct making *m)
{
	size_t n = strspn(m->f->ca, "abcdefghijklmnopqrstuvwxyz0123456789-");

	m->e->ca = m->f->ca;
	if (n == 0 || m->f->ca[n] || n >= STORE_NAME_MAX)
		COMPLAIN(m, AT(m, "ca"), "\"%s\" is no CA's name: a-z, 0-9 and -", m->f->ca);
}

static void build_profile(struct making *m)
{
	const struct config *c = m->item.b->config;
	BUF known = BUF_INIT;
	size_t i;

	if (!m->f->profile) {
		COMPLAIN(m, AT(m, "profile"), "is missing: it says what a certificate holds");
		return;
	}
	for (i = 0; i < c->n_profiles; i++) {
		if (strcmp(c->profiles[i]->name, m->f->profile) == 0) {
			m->policy->profile = c->profiles[i];
			return;
		}
		buf_printf(&known, "%s%s", i ? ", " : "", c->profiles[i]->name);
	}
	COMPLAIN(m, AT(m, "profile"), "no profile is named \"%s\"; under profiles there %s%s",
		 m->f->profile, known.len ? "are: " : "is none", known.len ? buf_cstr(&known) : "");
}

static void build_allow_list(struct making *m, struct enrol_policy *policy)
{
	const struct file_authorisation *f = &m->f->authorisation;

	policy->allow_list = f->allow_list;
	if (f->allow_list)
		config_check_name(m->item.b, AT(m, "authorisation.allow_list"), f->allow_list);
	if (f->allow_list_suffices && !f->allow_list)
		COMPLAIN(m, AT(m, "authorisation.allow_list_suffices"),
			 "needs allow_list: the name of the list");
	if (f->allow_list_suffices && (f->one_time || f->statics_count || f->anyone || f->accounts))
		COMPLAIN(m, AT(m, "authorisation.allow_list_suffices"),
			 "asks for nothing else, so that challenges mean nothing; remove it, or "
			 "anyone, one_time, static and accounts");
	if (f->allow_list && f->anyone)
		COMPLAIN(m, AT(m, "authorisation.anyone"),
			 "is not so with an allow_list; write allow_list_suffices: true instead");
	policy->accept_anyone |= f->allow_list_suffices;
}

static enum result build_authorisation(struct making *m, struct err *err)
{
	const struct file_authorisation *f = &m->f->authorisation;
	struct enrol_policy *policy = m->policy;
	struct err why = { 0 };
	bool good = true;
	size_t i;

	policy->accept_anyone = f->anyone;
	policy->one_time = f->one_time;
	policy->renewal = f->renewal;
	build_allow_list(m, policy);
	if (f->anyone && (f->one_time || f->statics_count || f->accounts))
		COMPLAIN(m, AT(m, "authorisation.anyone"),
			 "lets every device in, so that challenges mean nothing; remove it, or "
			 "one_time, static and accounts");
	if (!f->anyone && !f->one_time && !f->statics_count && !f->renewal && !f->accounts &&
	    !f->certificates && !f->registrars && !f->allow_list_suffices)
		COMPLAIN(m, AT(m, "authorisation"),
			 "no device could ever enrol; set one_time: true, or list a hash under "
			 "static");
	if (f->renewal && policy->profile && !policy->profile->renewal.allowed)
		COMPLAIN(m, AT(m, "authorisation.renewal"),
			 "profile \"%s\" does not allow it; remove it, or renewal.allowed: false "
			 "there",
			 m->f->profile);
	for (i = 0; i < f->statics_count; i++) {
		if (challenge_check_format(f->statics[i], &why) == OK)
			continue;
		good = false;
		COMPLAIN(m, AT(m, "authorisation.static[%zu]", i), "%s", err_text(&why));
	}
	if (!good || !f->statics_count)
		return OK;
	return challenge_static_new(&policy->statics, (const char *const *)f->statics,
				    f->statics_count, err);
}

static void build_approval(struct making *m)
{
	const struct file_endpoint *f = m->f;
	struct enrol_policy *policy = m->policy;
	struct err why = { 0 };

	policy->manual = f->approval == FILE_APPROVAL_MANUAL;
	policy->approvers = f->approvers ? f->approvers : 1;
	policy->pending_lifetime = PENDING_LIFETIME;
	if (f->approvers > 2)
		COMPLAIN(m, AT(m, "approvers"), "%u is not 1 or 2", f->approvers);
	if (f->pending_lifetime &&
	    clock_parse_duration(f->pending_lifetime, &policy->pending_lifetime, &why) != OK)
		COMPLAIN(m, AT(m, "pending_lifetime"), "%s", err_text(&why));
	if (!policy->manual && (f->approvers || f->pending_lifetime))
		COMPLAIN(m, AT(m, f->approvers ? "approvers" : "pending_lifetime"),
			 "goes with approval: manual only; remove it");
}

static void build_listeners(struct making *m)
{
	const struct config *c = m->item.b->config;
	size_t i, j;

	if (!m->f->listeners_count)
		m->e->listeners = UINT32_MAX;
	for (i = 0; i < m->f->listeners_count; i++) {
		for (j = 0; j < c->n_listeners; j++)
			if (strcmp(m->f->listeners[i], c->listeners[j].name) == 0)
				break;
		if (j == c->n_listeners)
			COMPLAIN(m, AT(m, "listeners[%zu]", i),
				 "no listener is named \"%s\" under http.listeners",
				 m->f->listeners[i]);
		else
			m->e->listeners |= 1u << j;
	}
}

static void set_if_there(const bool *value, bool *setting)
{
	if (value)
		*setting = *value;
}

/* A make's settings first, then those that the endpoint has of its own. */
static void build_quirks(struct making *m)
{
	const struct file_endpoint *f = m->f;
	const struct scep_quirks *q = f->quirks ? scep_quirks_find(f->quirks) : NULL;
	struct scep_habits *habits = &m->e->scep.habits;
	BUF known = BUF_INIT;
	size_t i;

	*habits = q ? q->habits : scep_habits_default;
	set_if_there(f->include_ca, &habits->include_ca);
	set_if_there(f->offer_post, &habits->offer_post);
	set_if_there(f->require_nonce, &habits->require_nonce);
	set_if_there(f->asked_validity, &habits->asked_validity);
	/* what waits is kept without it */
	if (habits->asked_validity && f->approval == FILE_APPROVAL_MANUAL)
		COMPLAIN(m, AT(m, f->asked_validity ? "asked_validity" : "quirks"),
			 "a validity asked for does not last through approval: manual; set "
			 "asked_validity: false");
	if (q || !f->quirks)
		return;
	for (i = 0; (q = scep_quirks_at(i)); i++)
		buf_printf(&known, "%s%s", i ? ", " : "", q->name);
	COMPLAIN(m, AT(m, "quirks"), "\"%s\" is not one of: %s", f->quirks,
		 known.len ? buf_cstr(&known) : "");
}

/* What all protocols share by which devices enrol. */
static enum result build_policy(struct making *m, struct enrol_policy *policy, struct err *err)
{
	m->e->policy = m->policy = policy;
	policy->endpoint = m->f->name;
	policy->ca = m->f->ca;
	policy->throttle = m->e->throttle;
	policy->anomalies = m->item.b->config->anomalies;
	build_profile(m);
	build_approval(m);
	return build_authorisation(m, err);
}

static enum result build_scep(struct making *m, struct err *err)
{
	struct scep_endpoint *scep = &m->e->scep;

	scep->name = m->f->name;
	build_quirks(m);
	scep->allow_sha1_3des = m->f->legacy != FILE_LEGACY_NONE;
	scep->allow_md5_des = m->f->legacy == FILE_LEGACY_MD5_DES;
	if (m->f->authorisation.accounts || m->f->authorisation.certificates ||
	    m->f->authorisation.registrars)
		COMPLAIN(m, AT(m, "authorisation"),
			 "accounts, certificates and registrars are for endpoints of protocol est; "
			 "remove them");
	return build_policy(m, &scep->policy, err);
}

static enum result build_est(struct making *m, struct err *err)
{
	struct est_endpoint *est = &m->e->est;

	TRY(build_policy(m, &est->policy, err));
	config_build_est(m->item.b, m->item.i);
	return OK;
}

/* What everyone may read. */
static void check_is_open(struct making *m)
{
	const struct file_authorisation *f = &m->f->authorisation;

	if (m->f->profile || f->one_time || f->statics_count || f->anyone || f->renewal)
		COMPLAIN(m, AT(m, "protocol"),
			 "crl and ocsp have neither a profile nor an authorisation: everyone may "
			 "ask; remove them");
}

static enum result build_ndes(struct making *m, struct err *err)
{
	return config_build_ndes(m->item.b, m->item.i, err);
}

static enum result build_crl(struct making *m, struct err *err)
{
	check_is_open(m);
	return config_build_crl(m->item.b, m->item.i, err);
}

static enum result build_ocsp(struct making *m, UNUSED struct err *err)
{
	check_is_open(m);
	config_build_ocsp(m->item.b, m->item.i);
	return OK;
}

/* What an endpoint has beside name, path, CA and listeners, by protocol. */
static const struct {
	enum config_protocol protocol;
	enum result (*build)(struct making *m, struct err *err);
} builders[] = {
	[FILE_PROTOCOL_SCEP] = { CONFIG_SCEP, build_scep },
	[FILE_PROTOCOL_CRL] = { CONFIG_CRL, build_crl },
	[FILE_PROTOCOL_OCSP] = { CONFIG_OCSP, build_ocsp },
	[FILE_PROTOCOL_NDES] = { CONFIG_NDES, build_ndes },
	[FILE_PROTOCOL_EST] = { CONFIG_EST, build_est },
};

/* Settings that mean something to some protocols only. */
static void check_protocol(struct making *m)
{
	const struct file_endpoint *f = m->f;
	const bool scep = f->protocol == FILE_PROTOCOL_SCEP;
	const bool devices = scep || f->protocol == FILE_PROTOCOL_EST;
	const struct {
		const char *setting;
		bool there;
		bool fits;
		const char *whose;
	} rows[] = {
		{ "crl", f->crl, f->protocol == FILE_PROTOCOL_CRL, "of protocol crl" },
		{ "ocsp", f->ocsp, f->protocol == FILE_PROTOCOL_OCSP, "of protocol ocsp" },
		{ "ndes", f->ndes, f->protocol == FILE_PROTOCOL_NDES, "of protocol ndes" },
		{ "est", f->est, f->protocol == FILE_PROTOCOL_EST, "of protocol est" },
		{ "quirks", f->quirks, scep, "of protocol scep" },
		{ "include_ca", f->include_ca, scep, "of protocol scep" },
		{ "offer_post", f->offer_post, scep, "of protocol scep" },
		{ "require_nonce", f->require_nonce, scep, "of protocol scep" },
		{ "asked_validity", f->asked_validity, scep, "of protocol scep" },
		{ "legacy", f->legacy != FILE_LEGACY_NONE, devices, "where devices enrol" },
		{ "approval", f->approval != FILE_APPROVAL_AUTOMATIC, devices,
		  "where devices enrol" },
		{ "approvers", f->approvers, devices, "where devices enrol" },
		{ "pending_lifetime", f->pending_lifetime, devices, "where devices enrol" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].there && !rows[i].fits)
			COMPLAIN(m, AT(m, "%s", rows[i].setting), "is for endpoints %s; remove it",
				 rows[i].whose);
}

static enum result build_endpoint(struct config_build *b, size_t i, struct err *err)
{
	struct making m = { .item = { .b = b, .list = "endpoints", .i = i },
			    .f = &b->file->endpoints[i],
			    .e = &b->config->endpoints[i] };

	config_check_name(b, AT(&m, "name"), m.f->name);
	check_is_new(&m);
	check_path(&m);
	check_segments(&m);
	m.e->name = m.f->name;
	m.e->path = m.f->path;
	m.e->nocase = is_nocase(m.f);
	m.e->protocol = builders[m.f->protocol].protocol;
	check_protocol(&m);
	build_ca(&m);
	build_listeners(&m);
	TRY(config_build_admission(b, i, err));
	TRY(config_build_throttle(b, i, err));
	return builders[m.f->protocol].build(&m, err);
}

/* Do the lists exist that the certificates of this endpoint name? */
static bool parts_are_published(const struct config *c, const struct config_endpoint *e)
{
	const struct profile *p = e->policy->profile;
	size_t i, len;

	for (i = 0; i < c->n_endpoints; i++) {
		const struct crl_plan *plan = &c->endpoints[i].crl;

		if (c->endpoints[i].protocol != CONFIG_CRL || strcmp(plan->ca, e->ca) != 0 ||
		    plan->parts != p->crl_parts || !plan->url)
			continue;
		len = strlen(plan->url);
		return strncmp(p->cdp[0], plan->url, len) == 0 &&
		       strcmp(p->cdp[0] + len, "/" PROFILE_PART ".crl") == 0;
	}
	return false;
}

static void check_parts(struct config_build *b)
{
	struct making m = { .item = { .b = b, .list = "endpoints" } };
	size_t i;

	for (i = 0; i < b->config->n_endpoints; i++) {
		const struct config_endpoint *e = &b->config->endpoints[i];
		const struct profile *p = e->policy ? e->policy->profile : NULL;

		m.item.i = i;
		if (p && p->crl_parts && p->n_cdp && !parts_are_published(b->config, e))
			COMPLAIN(
			    &m, AT(&m, "profile"),
			    "certificates of profile \"%s\" name %u parts of a revocation list "
			    "as %s; the CA's endpoint of protocol crl must have the same "
			    "crl.parts, and the crl.url that this begins with",
			    p->name, p->crl_parts, p->cdp[0]);
	}
}

enum result config_build_endpoints(struct config_build *b, struct err *err)
{
	size_t i;

	b->config->endpoints = calloc(b->file->endpoints_count + 1, sizeof(*b->config->endpoints));
	if (!b->config->endpoints)
		return err_nomem(err);
	for (i = 0; i < b->file->endpoints_count; i++) {
		b->config->n_endpoints++;
		TRY(build_endpoint(b, i, err));
	}
	check_parts(b);
	config_check_tls(b);
	return OK;
}
