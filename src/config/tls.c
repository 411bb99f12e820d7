/* SPDX-License-Identifier: Apache-2.0 */
/* tls of a listener: with files of the administrator's, or a certificate of its own making. */
#include <stdio.h>
#include <string.h>

#include "config/build.h"
#include "config/own_tls.h"
#include "token/token.h"

#define URL_MAX 1024
#define NAME_MAX_OWN 48 /* of a listener: its key's name in the keeper has more in front */

struct making {
	struct config_item item;
	const struct file_tls *f;
	struct config_listener *l;
};

static struct making making_of(struct config_build *b, size_t i)
{
	return (struct making){ .item = { .b = b, .list = "http.listeners", .i = i },
				.f = b->file->http.listeners[i].tls,
				.l = &b->config->listeners[i] };
}

static void build_files(struct making *m)
{
	m->l->tls_key = m->f->key;
	if (!m->f->certificate || !m->f->key) {
		COMPLAIN(m, AT(m, "tls"),
			 "needs a certificate and a key; or ca, profile and names, for a "
			 "certificate that the server issues to itself");
		return;
	}
	config_check_readable(m->item.b, AT(m, "tls.certificate"), m->f->certificate);
	if (token_is_uri(m->f->key))
		config_check_key_uri(m->item.b, AT(m, "tls.key"), m->f->key);
	else
		config_check_readable(m->item.b, AT(m, "tls.key"), m->f->key);
}

/* The file is made in the file's structs, where it is freed with the rest. */
static RESULT build_own(struct making *m, struct file_tls *f, struct err *err)
{
	size_t n = strspn(m->l->name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (f->certificate || f->key)
		COMPLAIN(m, AT(m, "tls.ca"),
			 "issues the certificate itself; remove certificate and key, or ca");
	else if (asprintf(&f->certificate, "%s/tls-%s.pem", m->item.b->file->data, m->l->name) < 0)
		return err_nomem(err);
	if (!f->profile || !f->names_count)
		COMPLAIN(m, AT(m, "tls.ca"),
			 "needs profile, and names: the host names and addresses by which this "
			 "listener is reached");
	if (m->l->name[n] || n > NAME_MAX_OWN)
		COMPLAIN(m, AT(m, "name"),
			 "of a listener with tls.ca is written in at most %d of a-z, 0-9 and -",
			 NAME_MAX_OWN);
	m->l->own_ca = f->ca;
	m->l->own_profile = f->profile;
	m->l->own_names = (const char *const *)f->names;
	m->l->n_own_names = f->names_count;
	return OK;
}

static void check_url(struct config_yaml *yaml, const char *place, const char *const *files,
		      size_t i)
{
	size_t j;

	if (strlen(files[i]) > URL_MAX || strpbrk(files[i], " \t\r\n") || !files[i][7])
		config_yaml_complain(yaml, place, "is no URL, or one of more than %d octets",
				     URL_MAX);
	for (j = 0; j < i; j++)
		if (strcmp(files[j], files[i]) == 0)
			config_yaml_complain(yaml, place, "stands there twice; remove one");
}

/* A file, which is looked at; or a URL, which is fetched later. */
static void check_list(struct config_item *item, const char *place, const char *const *files,
		       size_t i)
{
	const char *file = files[i];
	struct config_yaml *yaml = &item->b->yaml;
	struct err why = { 0 };

	if (foreign_crl_is_url(file)) {
		check_url(yaml, place, files, i);
	} else if (strstr(file, "://")) {
		config_yaml_complain(yaml, place,
				     "is fetched by http:// only: the list is signed, and whoever "
				     "fetches a list over TLS needs one to believe the server");
	} else if (item->b->scope == CONFIG_AND_FILES && foreign_crl_check_file(file, &why) != OK) {
		config_yaml_complain(yaml, place, "%s", err_text(&why));
	}
}

/* Whether a CA has revoked what it issued to a client; of ours, we know. */
static RESULT build_crls(struct config_item *item, const char *group, const struct file_trust *f,
			 struct foreign_crl **out, struct err *err)
{
	const struct foreign_crl_config lists = {
		.files = (const char *const *)f->client_crls,
		.n_files = f->client_crls_count,
		.data = item->b->file->data,
		.issuers = f->client_ca,
		.take_expired = f->client_crl_expired == FILE_EXPIRED_ACCEPT,
	};
	size_t i;

	if (!lists.n_files)
		return OK;
	if (!lists.issuers) {
		config_yaml_complain(&item->b->yaml, config_at(item, "%s.client_crl", group),
				     "needs client_ca: the CAs that have signed the lists");
		return OK;
	}
	for (i = 0; i < lists.n_files; i++)
		check_list(item, config_at(item, "%s.client_crl[%zu]", group, i), lists.files, i);
	return foreign_crl_new(out, &lists, err);
}

enum result config_build_trust(struct config_item *item, const char *group,
			       const struct file_trust *f, struct foreign_crl **crl,
			       struct err *err)
{
	if (f->client_ca)
		config_check_readable(item->b, config_at(item, "%s.client_ca", group),
				      f->client_ca);
	if (f->client_ca && f->client_authority)
		config_yaml_complain(&item->b->yaml, config_at(item, "%s.client_authority", group),
				     "stands beside client_ca; remove one of them");
	return build_crls(item, group, f, crl, err);
}

enum result config_build_tls(struct config_build *b, size_t i, struct err *err)
{
	struct making m = making_of(b, i);
	const struct file_trust *trust = &m.f->trust;

	if (m.f->ca)
		TRY(build_own(&m, b->file->http.listeners[i].tls, err));
	else
		build_files(&m);
	m.l->tls_certificate = m.f->certificate;
	m.l->stapling = (enum config_stapling)m.f->ocsp_stapling;
	if (m.f->ca && m.l->stapling == CONFIG_STAPLING_FETCH)
		COMPLAIN(
		    &m, AT(&m, "tls.ocsp_stapling"),
		    "the certificate is issued here, and so is what is stapled to it; write own, "
		    "or nothing");
	m.l->clients = (enum tls_clients)m.f->client_certificates;
	m.l->client_ca = trust->client_ca;
	m.l->client_authority = trust->client_authority;
	TRY(config_build_trust(&m.item, "tls", trust, &m.l->client_crl, err));
	if ((trust->client_ca || trust->client_authority) && m.l->clients == TLS_CLIENTS_NONE)
		COMPLAIN(&m, AT(&m, trust->client_ca ? "tls.client_ca" : "tls.client_authority"),
			 "no client is asked for a certificate; set client_certificates to request "
			 "or require");
	return OK;
}

void config_check_tls(struct config_build *b)
{
	const struct config *c = b->config;
	struct err err = { 0 };
	size_t i, j;

	for (i = 0; i < c->n_listeners; i++) {
		struct making m = making_of(b, i);

		if (!m.l->own_profile)
			continue;
		for (j = 0; j < c->n_profiles; j++)
			if (strcmp(c->profiles[j]->name, m.l->own_profile) == 0)
				break;
		if (j == c->n_profiles)
			COMPLAIN(&m, AT(&m, "tls.profile"), "no profile is named \"%s\"",
				 m.l->own_profile);
		else if (!b->yaml.n_complaints && m.l->n_own_names &&
			 own_tls_check(m.l, c->profiles[j], &err) != OK)
			COMPLAIN(
			    &m, AT(&m, "tls.profile"),
			    "by \"%s\" this listener would get no certificate for its names: %s",
			    m.l->own_profile, err_text(&err));
	}
}
