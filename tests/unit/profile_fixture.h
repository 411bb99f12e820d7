/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles out of rows, and how the tests apply them. */
#ifndef UNIT_PROFILE_FIXTURE_H
#define UNIT_PROFILE_FIXTURE_H

#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "ca/issue.h"
#include "ca/profile.h"
#include "ca/profile_pattern.h"
#include "der/oid.h"
#include "der/writer.h"
#include "pki/cert.h"
#include "pki/key_evp.h"
#include "pki/name.h"

#define NOW 1795293840 /* 2026-11-21T20:44:00Z */
#define DAY 86400

/* ---- profiles out of rows ---- */

struct attr_row {
	const char *type; /* NULL ends */
	enum profile_choice choice;
	const char *pattern;
	const char *value;
	unsigned max;
};

struct san_row {
	const char *pattern; /* "" none; NULL ends */
	enum san_kind kind;
	enum profile_choice choice;
	unsigned max;
};

static void set_pattern(const char *text, bool *has, regex_t *regex, char **copy)
{
	*has = text && *text;
	if (!*has)
		return;
	assert_int_equal(profile_pattern_compile(text, regex, NULL), OK);
	*copy = strdup(text);
}

static struct profile *new_profile(const struct attr_row *attrs, enum profile_choice other_attrs,
				   const struct san_row *sans, enum profile_choice other_sans)
{
	struct profile *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->name = strdup("device");
	p->validity = 365 * DAY;
	p->backdate = 600;
	p->key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
	p->attrs = calloc(8, sizeof(*p->attrs));
	p->sans = calloc(8, sizeof(*p->sans));
	p->other_attrs = other_attrs;
	p->other_sans = other_sans;
	for (; attrs && attrs->type; attrs++) {
		struct profile_attr *a = &p->attrs[p->n_attrs++];

		buf_put(&a->type, name_type_parse(attrs->type));
		a->choice = attrs->choice;
		a->max = attrs->max;
		a->value = attrs->value ? strdup(attrs->value) : NULL;
		set_pattern(attrs->pattern, &a->has_pattern, &a->pattern, &a->pattern_text);
	}
	for (; sans && sans->pattern; sans++) {
		struct profile_san *s = &p->sans[p->n_sans++];

		s->kind = sans->kind;
		s->choice = sans->choice;
		s->max = sans->max;
		set_pattern(sans->pattern, &s->has_pattern, &s->pattern, &s->pattern_text);
	}
	p->keys[0] = (struct profile_key){ KEY_EC_P256, 0, 0 };
	p->keys[1] = (struct profile_key){ KEY_RSA, 2048, 4096 };
	p->n_keys = 2;
	return p;
}

/* ---- what every test applies profiles with ---- */

static struct {
	struct crypto *c;
	struct key *ca;
	struct key *device;
	struct buf issuer;
} fix;

static int set_up(void **state)
{
	struct key_spec p256 = { KEY_EC_P256, 256 };

	(void)state;
	assert_int_equal(crypto_new(&fix.c, false, NULL), OK);
	assert_int_equal(key_evp_generate(&fix.ca, fix.c, p256, NULL), OK);
	assert_int_equal(key_evp_generate(&fix.device, fix.c, p256, NULL), OK);
	assert_int_equal(name_parse_text("CN=Test CA", &fix.issuer, NULL), OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	key_free(fix.ca);
	key_free(fix.device);
	buf_clear(&fix.issuer);
	crypto_free(fix.c);
	return 0;
}

static const uint8_t issuer_ski[20] = { 1, 2, 3 };

static struct profile_issuer issuer(void)
{
	return (struct profile_issuer){ .subject = buf_span(&fix.issuer),
					.ski = SPAN_ARRAY(issuer_ski),
					.not_before = NOW - 100 * DAY,
					.not_after = NOW + 3650 * DAY };
}

/* Extensions asked for: SAN by text, and more as they stand. */
static void put_asked(struct buf *out, const char *const *sans, struct span more)
{
	BUF names = BUF_INIT;
	size_t i;

	for (i = 0; sans && sans[i]; i++)
		assert_int_equal(san_parse_text(sans[i], &names, NULL), OK);
	if (names.len)
		ext_put_san(out, buf_span(&names), false);
	buf_put(out, more);
}

static enum result apply(const struct profile *p, struct span subject, struct span exts,
			 struct profile_result *out, struct err *err)
{
	struct profile_request req = {
		.subject = subject, .spki = key_spki(fix.device), .exts = exts, .now = NOW
	};
	struct profile_issuer by = issuer();

	return profile_apply(p, fix.c, &req, &by, out, err);
}

#endif
