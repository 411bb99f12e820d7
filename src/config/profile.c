/* SPDX-License-Identifier: Apache-2.0 */
/* profiles: each setting checked, struct profile made of them. */
#include <stdlib.h>

#include "ca/profile_pattern.h"
#include "config/build.h"
#include "der/oid.h"
#include "pki/ext.h"
#include "pki/name.h"

#define BACKDATE 600
#define VALIDITY_MAX (100LL * 365 * 86400)
#define RENEWAL_WINDOW (30 * (int64_t)86400)
#define MANY 8 /* OUs, DCs and SANs that a device may send unless it says otherwise */
#define RSA_BITS_FLOOR 1024
#define RSA_BITS_CEILING 8192

struct making {
	struct config_item item;
	const struct file_profile *f;
	struct profile *p;
};

/* ---- times and usages ---- */

static bool read_duration(struct making *m, const char *setting, const char *text, int64_t *out)
{
	struct err err = { 0 };

	if (clock_parse_duration(text, out, &err) == OK)
		return true;
	COMPLAIN(m, AT(m, "%s", setting), "%s", err_text(&err));
	return false;
}

static void build_times(struct making *m)
{
	if (!read_duration(m, "validity", m->f->validity, &m->p->validity))
		return;
	/* of a short validity something has to be left */
	m->p->backdate = m->p->validity / 2 < BACKDATE ? m->p->validity / 2 : BACKDATE;
	if (m->f->backdate)
		(void)read_duration(m, "backdate", m->f->backdate, &m->p->backdate);
	if (m->p->validity < 1 || m->p->validity > VALIDITY_MAX)
		COMPLAIN(m, AT(m, "validity"), "%s is not within 1s to 100y", m->f->validity);
	else if (m->f->backdate && m->p->backdate >= m->p->validity)
		COMPLAIN(m, AT(m, "backdate"),
			 "%s is not less than validity (%s): the certificate would have expired "
			 "when it is issued",
			 m->f->backdate, m->f->validity);
}

static void complain_twice(struct making *m, const char *list, size_t i)
{
	COMPLAIN(m, AT(m, "%s[%zu]", list, i), "stands there twice; remove one");
}

static void build_key_usage(struct making *m)
{
	size_t i;

	if (!m->f->key_usage_count)
		m->p->key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
	for (i = 0; i < m->f->key_usage_count; i++) {
		uint32_t bit = key_usage_parse(m->f->key_usage[i]);

		if (!bit)
			COMPLAIN(m, AT(m, "key_usage[%zu]", i),
				 "\"%s\" is no key usage of RFC 5280 4.2.1.3, such as "
				 "digitalSignature or keyEncipherment",
				 m->f->key_usage[i]);
		if (bit & (KU_KEY_CERT_SIGN | KU_CRL_SIGN))
			COMPLAIN(m, AT(m, "key_usage[%zu]", i),
				 "%s is a CA's and never a device's; remove it",
				 m->f->key_usage[i]);
		if (m->p->key_usage & bit)
			complain_twice(m, "key_usage", i);
		m->p->key_usage |= bit;
	}
}

static void check_eku_is_new(struct making *m, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (span_eq(buf_span(&m->p->ekus[i]), buf_span(&m->p->ekus[j])))
			complain_twice(m, "eku", i);
}

static enum result build_ekus(struct making *m, struct err *err)
{
	struct err why = { 0 };
	size_t i;

	m->p->ekus = calloc(m->f->eku_count + 1, sizeof(*m->p->ekus));
	if (!m->p->ekus)
		return err_nomem(err);
	m->p->n_ekus = m->f->eku_count;
	for (i = 0; i < m->f->eku_count; i++)
		if (eku_parse(m->f->eku[i], &m->p->ekus[i], &why) != OK)
			COMPLAIN(m, AT(m, "eku[%zu]", i), "%s", err_text(&why));
		else
			check_eku_is_new(m, i);
	return OK;
}

/* ---- keys ---- */

static void build_rsa(struct making *m, size_t i, struct profile_key *k)
{
	const struct file_key *f = &m->f->keys[i];

	k->min_bits = f->min_bits ? f->min_bits : 2048;
	k->max_bits = f->max_bits ? f->max_bits : 4096;
	if (k->min_bits < RSA_BITS_FLOOR || k->max_bits > RSA_BITS_CEILING ||
	    k->min_bits > k->max_bits)
		COMPLAIN(m, AT(m, "keys[%zu]", i),
			 "RSA from %u to %u bits; write min_bits of at least %d and max_bits of "
			 "at most %d, and not below it",
			 k->min_bits, k->max_bits, RSA_BITS_FLOOR, RSA_BITS_CEILING);
}

static void check_key_is_new(struct making *m, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (m->f->keys[i].kind == m->f->keys[j].kind)
			complain_twice(m, "keys", i);
}

static void build_keys(struct making *m)
{
	static const struct profile_key usual[] = {
		{ KEY_RSA, 2048, 4096 },
		{ KEY_EC_P256, 0, 0 },
		{ KEY_EC_P384, 0, 0 },
	};
	size_t i;

	if (!m->f->keys_count) {
		memcpy(m->p->keys, usual, sizeof(usual));
		m->p->n_keys = ARRAY_LEN(usual);
	}
	for (i = 0; i < m->f->keys_count; i++) {
		const struct file_key *f = &m->f->keys[i];
		struct profile_key *k = &m->p->keys[m->p->n_keys++];

		k->kind = (enum key_kind)f->kind;
		check_key_is_new(m, i);
		if (k->kind == KEY_RSA)
			build_rsa(m, i, k);
		else if (f->min_bits || f->max_bits)
			COMPLAIN(m, AT(m, "keys[%zu]", i),
				 "%s keys have one size only; remove min_bits and max_bits",
				 key_kind_name(k->kind));
	}
}

/* ---- names ---- */

static bool takes_value(enum profile_choice choice)
{
	return choice == PROFILE_OPTIONAL || choice == PROFILE_REQUIRED;
}

/* pattern, value and max against the choice that they stand beside. */
static void check_part(struct making *m, const char *list, size_t i, const struct file_name_part *f)
{
	enum profile_choice choice = (enum profile_choice)f->choice;

	if (f->pattern && !takes_value(choice))
		COMPLAIN(m, AT(m, "%s[%zu].pattern", list, i),
			 "goes with choice optional or required only; remove it");
	if (f->value && choice != PROFILE_FIXED)
		COMPLAIN(m, AT(m, "%s[%zu].value", list, i),
			 "goes with choice fixed only; remove it");
	if (f->max && !takes_value(choice))
		COMPLAIN(m, AT(m, "%s[%zu].max", list, i),
			 "goes with choice optional or required only; remove it");
	else if (f->max && !*f->max)
		COMPLAIN(m, AT(m, "%s[%zu].max", list, i),
			 "lets none in; write 1 or more, or choice: forbid");
}

/* The pattern into *regex; *text is its own copy. */
static enum result build_pattern(struct making *m, const char *list, size_t i, const char *pattern,
				 regex_t *regex, char **text, bool *has, struct err *err)
{
	struct err why = { 0 };

	if (!pattern)
		return OK;
	*text = strdup(pattern);
	if (!*text)
		return err_nomem(err);
	*has = profile_pattern_compile(pattern, regex, &why) == OK;
	if (!*has)
		COMPLAIN(m, AT(m, "%s[%zu].pattern", list, i), "%s", err_text(&why));
	return OK;
}

static enum result build_attr(struct making *m, size_t i, struct err *err)
{
	const struct file_name_part *f = &m->f->subject[i];
	struct profile_attr *a = &m->p->attrs[i];
	struct span type = name_type_parse(f->type);

	a->choice = (enum profile_choice)f->choice;
	check_part(m, "subject", i, f);
	if (type.len)
		buf_put(&a->type, type);
	else if (oid_parse(f->type, &a->type, NULL) != OK)
		COMPLAIN(m, AT(m, "subject[%zu].type", i),
			 "\"%s\" is no attribute type: write a short name like CN, or a dotted OID",
			 f->type);
	if (a->choice == PROFILE_FIXED && !f->value)
		COMPLAIN(m, AT(m, "subject[%zu]", i), "choice fixed needs a value");
	if (f->value && !(a->value = strdup(f->value)))
		return err_nomem(err);
	a->max = f->max ? *f->max : span_eq(type, OID_OU) || span_eq(type, OID_DC) ? MANY : 1;
	return build_pattern(m, "subject", i, f->pattern, &a->pattern, &a->pattern_text,
			     &a->has_pattern, err);
}

static void check_attr_is_new(struct making *m, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (m->p->attrs[i].type.len &&
		    span_eq(buf_span(&m->p->attrs[i].type), buf_span(&m->p->attrs[j].type)))
			COMPLAIN(m, AT(m, "subject[%zu].type", i),
				 "\"%s\" has a rule in subject[%zu] already; remove one",
				 m->f->subject[i].type, j);
}

static enum result build_subject(struct making *m, struct err *err)
{
	size_t i;

	m->p->other_attrs =
	    m->f->other_subject ? (enum profile_choice) * m->f->other_subject : PROFILE_FORBID;
	m->p->attrs = calloc(m->f->subject_count + 1, sizeof(*m->p->attrs));
	if (!m->p->attrs)
		return err_nomem(err);
	for (i = 0; i < m->f->subject_count; i++) {
		m->p->n_attrs++;
		TRY(build_attr(m, i, err));
		check_attr_is_new(m, i);
	}
	return OK;
}

static bool find_san_kind(const char *name, enum san_kind *out)
{
	static const enum san_kind kinds[] = { SAN_EMAIL, SAN_DNS, SAN_DIRECTORY,  SAN_URI,
					       SAN_IP,    SAN_RID, SAN_OTHER_NAME, SAN_UPN };
	size_t i;

	for (i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(name, san_kind_name(kinds[i])) == 0) {
			*out = kinds[i];
			return true;
		}
	return false;
}

static enum result build_san(struct making *m, size_t i, struct err *err)
{
	const struct file_name_part *f = &m->f->san[i];
	struct profile_san *s = &m->p->sans[i];
	size_t j;

	s->choice = (enum profile_choice)f->choice;
	s->max = f->max ? *f->max : MANY;
	check_part(m, "san", i, f);
	if (s->choice == PROFILE_FIXED)
		COMPLAIN(m, AT(m, "san[%zu].choice", i),
			 "fixed is for the subject only; a name that all devices share names none");
	if (!find_san_kind(f->type, &s->kind))
		COMPLAIN(m, AT(m, "san[%zu].type", i),
			 "\"%s\" is not one of: DNS, IP, URI, email, UPN, dirName, RID, otherName",
			 f->type);
	for (j = 0; j < i; j++)
		if (strcmp(f->type, m->f->san[j].type) == 0)
			COMPLAIN(m, AT(m, "san[%zu].type", i),
				 "\"%s\" has a rule in san[%zu] already; remove one", f->type, j);
	return build_pattern(m, "san", i, f->pattern, &s->pattern, &s->pattern_text,
			     &s->has_pattern, err);
}

static enum result build_sans(struct making *m, struct err *err)
{
	size_t i;

	m->p->san_from_cn = m->f->san_from_cn;
	m->p->other_sans =
	    m->f->other_san ? (enum profile_choice) * m->f->other_san : PROFILE_FORBID;
	m->p->sans = calloc(m->f->san_count + 1, sizeof(*m->p->sans));
	if (!m->p->sans)
		return err_nomem(err);
	for (i = 0; i < m->f->san_count; i++) {
		m->p->n_sans++;
		TRY(build_san(m, i, err));
	}
	return OK;
}

/* A certificate must name somebody (RFC 5280 4.1.2.6). */
static void check_names_somebody(struct making *m)
{
	const struct profile *p = m->p;
	size_t i;

	if (p->other_attrs == PROFILE_OPTIONAL || p->other_sans == PROFILE_OPTIONAL)
		return;
	for (i = 0; i < p->n_attrs; i++)
		if (takes_value(p->attrs[i].choice) || p->attrs[i].choice == PROFILE_FIXED)
			return;
	for (i = 0; i < p->n_sans; i++)
		if (takes_value(p->sans[i].choice))
			return;
	COMPLAIN(m, AT(m, "subject"),
		 "no certificate could have a name; take at least one part of it, as in "
		 "{type: CN, choice: required}");
}

/* ---- renewal ---- */

static void build_renewal(struct making *m)
{
	const struct file_renewal *f = m->f->renewal;
	struct profile_renewal *r = &m->p->renewal;

	*r = (struct profile_renewal){ .allowed = true,
				       .window = RENEWAL_WINDOW,
				       .same_names = true };
	if (!f)
		return;
	if (f->allowed)
		r->allowed = *f->allowed;
	if (f->window && strcmp(f->window, "any") == 0)
		r->window = PROFILE_ANY_TIME;
	else if (f->window)
		(void)read_duration(m, "renewal.window", f->window, &r->window);
	if (f->grace)
		(void)read_duration(m, "renewal.grace", f->grace, &r->grace);
	if (f->same_names)
		r->same_names = *f->same_names;
	r->new_key = (enum profile_new_key)f->new_key;
}

/* ---- URLs ---- */

static bool is_url(const char *url)
{
	static const char *const schemes[] = { "http://", "https://", "ldap://" };
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(schemes); i++) {
		n = strlen(schemes[i]);
		if (strncmp(url, schemes[i], n) == 0)
			/* any LDAP server will do (RFC 4516 2) */
			return !strpbrk(url, " \t\n\"") &&
			       (schemes[i][0] == 'l' || (url[n] && url[n] != '/'));
	}
	return false;
}

static enum result build_urls(struct making *m, const char *setting, char *const *urls, size_t n,
			      char ***out, size_t *n_out, struct err *err)
{
	size_t i;

	*out = calloc(n + 1, sizeof(**out));
	if (!*out)
		return err_nomem(err);
	for (i = 0; i < n; i++) {
		if (!is_url(urls[i]))
			COMPLAIN(m, AT(m, "%s[%zu]", setting, i),
				 "\"%s\" is no URL that begins with http://, https:// or ldap:// "
				 "and names a host",
				 urls[i]);
		(*out)[i] = strdup(urls[i]);
		if (!(*out)[i])
			return err_nomem(err);
		*n_out = i + 1;
	}
	return OK;
}

/* A part's list says where it is, so the certificate must name that very URL. */
static void check_parts(struct making *m)
{
	const struct file_profile *f = m->f;
	bool names_part = f->crl_urls_count && strstr(f->crl_urls[0], PROFILE_PART);

	m->p->crl_parts = f->crl_parts;
	if (f->crl_parts > CRL_PARTS_MAX)
		COMPLAIN(m, AT(m, "crl_parts"), "%u parts; at most %d", f->crl_parts,
			 CRL_PARTS_MAX);
	if (f->crl_parts && (!names_part || f->crl_urls_count != 1))
		COMPLAIN(m, AT(m, "crl_parts"),
			 "goes with one URL under crl_urls, with " PROFILE_PART " in it");
	if (!f->crl_parts && names_part)
		COMPLAIN(m, AT(m, "crl_urls[0]"),
			 "has " PROFILE_PART
			 " in it: set crl_parts as the endpoint of protocol crl "
			 "has it");
}

/* ---- the whole ---- */

static enum result build_all(struct making *m, struct err *err)
{
	const struct file_profile *f = m->f;
	struct profile *p = m->p;

	build_times(m);
	build_key_usage(m);
	TRY(build_ekus(m, err));
	build_keys(m);
	TRY(build_subject(m, err));
	TRY(build_sans(m, err));
	check_names_somebody(m);
	build_renewal(m);
	check_parts(m);
	TRY(build_urls(m, "crl_urls", f->crl_urls, f->crl_urls_count, &p->cdp, &p->n_cdp, err));
	TRY(build_urls(m, "ocsp_urls", f->ocsp_urls, f->ocsp_urls_count, &p->ocsp, &p->n_ocsp,
		       err));
	return build_urls(m, "ca_issuer_urls", f->ca_issuer_urls, f->ca_issuer_urls_count,
			  &p->ca_issuers, &p->n_ca_issuers, err);
}

static enum result build_profile(struct config_build *b, size_t i, struct err *err)
{
	CLEANUP(profile_freep) struct profile *p = calloc(1, sizeof(*p));
	struct making m = { .item = { .b = b, .list = "profiles", .i = i },
			    .f = &b->file->profiles[i],
			    .p = p };
	size_t j;

	if (!p || !(p->name = strdup(m.f->name)))
		return err_nomem(err);
	config_check_name(b, AT(&m, "name"), m.f->name);
	for (j = 0; j < i; j++)
		if (strcmp(m.f->name, b->file->profiles[j].name) == 0)
			COMPLAIN(&m, AT(&m, "name"),
				 "\"%s\" is the name of profiles[%zu] already; choose another",
				 m.f->name, j);
	TRY(build_all(&m, err));
	b->config->profiles[b->config->n_profiles++] = take(p);
	return OK;
}

enum result config_build_profiles(struct config_build *b, struct err *err)
{
	size_t i;

	b->config->profiles = calloc(b->file->profiles_count + 1, sizeof(*b->config->profiles));
	if (!b->config->profiles)
		return err_nomem(err);
	for (i = 0; i < b->file->profiles_count; i++)
		TRY(build_profile(b, i, err));
	return OK;
}
