/* SPDX-License-Identifier: Apache-2.0 */
/* operators, and endpoints of protocol ndes, which give out challenges to them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "config/build.h"

#define LOGIN_FAILURES 10
#define LOGIN_SECONDS 600
#define LIFETIME 3600
#define LIFETIME_MAX (7 * 86400)
#define MAXIMUM 5
#define MAXIMUM_MAX 100000

/* ---- operators ---- */

static enum result add_operator(struct config_build *b, size_t i, unsigned roles, struct err *err)
{
	const struct file_operator *f = &b->file->operators[i];
	const struct file_operator_cert *c = f->certificate;
	CLEANUP(operator_cert_clear) struct operator_cert cert = { 0 };
	char place[CONFIG_PLACE];
	struct err why = { 0 };

	if (c && operator_cert_parse(c->sha256, c->subject, c->issuer, &cert, &why) != OK)
		config_yaml_complain(&b->yaml, config_place(place, "operators[%zu].certificate", i),
				     "%s", err_text(&why));
	TRY(operator_list_add(b->config->operators, f->name, f->password, roles, err));
	operator_list_set_cert(b->config->operators, &cert);
	return OK;
}

static enum result build_operator(struct config_build *b, size_t i, struct err *err)
{
	const struct file_operator *f = &b->file->operators[i];
	char place[CONFIG_PLACE];
	struct err why = { 0 };
	unsigned roles = 0;
	size_t j;

	config_check_name(b, config_place(place, "operators[%zu].name", i), f->name);
	for (j = 0; j < i; j++)
		if (strcmp(f->name, b->file->operators[j].name) == 0)
			config_yaml_complain(
			    &b->yaml, place,
			    "\"%s\" is the name of operators[%zu] already; choose another", f->name,
			    j);
	for (j = 0; j < f->roles_count; j++)
		roles |= (unsigned)f->roles[j];
	if (!f->password && !f->certificate)
		config_yaml_complain(&b->yaml, place,
				     "has neither password nor certificate to be known by");
	if (f->password && challenge_check_format(f->password, &why) != OK) {
		config_yaml_complain(&b->yaml, config_place(place, "operators[%zu].password", i),
				     "%s", err_text(&why));
		return OK;
	}
	return add_operator(b, i, roles, err);
}

enum result config_build_operators(struct config_build *b, struct err *err)
{
	struct rate failures = { LOGIN_FAILURES, LOGIN_SECONDS };
	struct err why = { 0 };
	size_t i;

	if (b->file->login_failures && rate_parse(b->file->login_failures, &failures, &why) != OK)
		config_yaml_complain(&b->yaml, "login_failures", "%s", err_text(&why));
	TRY(operator_list_new(&b->config->operators, failures, err));
	for (i = 0; i < b->file->operators_count; i++)
		TRY(build_operator(b, i, err));
	return OK;
}

/* ---- endpoints ---- */

struct making {
	struct config_item item;
	const struct file_endpoint *f;
	struct config_endpoint *e;
};

/* The endpoint whose challenges these are must be there, take them, and be of the same CA. */
static void check_target(struct making *m)
{
	const struct file_config *file = m->item.b->file;
	size_t j;

	for (j = 0; j < file->endpoints_count; j++)
		if (file->endpoints[j].protocol == FILE_PROTOCOL_SCEP &&
		    strcmp(file->endpoints[j].name, m->f->ndes->endpoint) == 0)
			break;
	if (j == file->endpoints_count) {
		COMPLAIN(m, AT(m, "ndes.endpoint"), "no endpoint of protocol scep has this name");
		return;
	}
	if (!file->endpoints[j].authorisation.one_time)
		COMPLAIN(m, AT(m, "ndes.endpoint"),
			 "this endpoint takes no such challenges; set authorisation.one_time: true "
			 "there");
	if (strcmp(file->endpoints[j].ca, m->f->ca) != 0)
		COMPLAIN(m, AT(m, "ca"),
			 "is not the CA of ndes.endpoint, whose thumbprint is shown");
}

static void read_limits(struct making *m, struct ndes_endpoint *ndes)
{
	const struct file_ndes *f = m->f->ndes;
	struct err err = { 0 };

	if (f->lifetime && clock_parse_duration(f->lifetime, &ndes->lifetime, &err) != OK)
		COMPLAIN(m, AT(m, "ndes.lifetime"), "%s", err_text(&err));
	else if (ndes->lifetime < 60 || ndes->lifetime > LIFETIME_MAX)
		COMPLAIN(m, AT(m, "ndes.lifetime"), "must be from 1m to 7d");
	if (f->maximum)
		ndes->maximum = f->maximum;
	if (ndes->maximum > MAXIMUM_MAX)
		COMPLAIN(m, AT(m, "ndes.maximum"), "at most 100000");
	if (f->reusable && (f->lifetime || f->maximum))
		COMPLAIN(m, AT(m, "ndes.reusable"),
			 "there is one challenge, which does not expire; remove lifetime and "
			 "maximum");
	if (f->reusable && ndes->form != CHALLENGE_HEX_128)
		COMPLAIN(m, AT(m, "ndes.reusable"),
			 "a challenge that does not expire must be long; set challenge: hex-128");
}

enum result config_build_ndes(struct config_build *b, size_t i, struct err *err)
{
	struct making m = { .item = { .b = b, .list = "endpoints", .i = i },
			    .f = &b->file->endpoints[i],
			    .e = &b->config->endpoints[i] };
	const struct file_ndes *f = m.f->ndes;

	if (asprintf(&m.e->ndes_file, "%s/ndes-%s.password", b->config->data, m.f->name) < 0) {
		m.e->ndes_file = NULL;
		return err_nomem(err);
	}
	if (!f) {
		COMPLAIN(&m, AT(&m, "ndes"),
			 "is missing: its endpoint says who takes the challenges");
		return OK;
	}
	m.e->ndes =
	    (struct ndes_endpoint){ .name = m.f->name,
				    .path = m.f->path,
				    .endpoint = f->endpoint,
				    .encoding = (enum ndes_encoding)f->encoding,
				    .form = f->challenge == CHALLENGE_HEX_128 ? CHALLENGE_HEX_128
									      : CHALLENGE_HEX_64,
				    .lifetime = LIFETIME,
				    .maximum = MAXIMUM,
				    .reusable = f->reusable,
				    .password_file = m.e->ndes_file,
				    .allow_plain = f->allow_plain };
	check_target(&m);
	read_limits(&m, &m.e->ndes);
	if (m.f->profile || m.f->crl)
		COMPLAIN(&m, AT(&m, "protocol"), "ndes has neither a profile nor crl; remove them");
	return OK;
}
