/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/profile_san.h"

#include "ca/profile_pattern.h"
#include "der/oid.h"
#include "der/writer.h"
#include "pki/ext.h"
#include "pki/name.h"

/* GeneralNames in the making. */
struct build {
	const struct profile *p;
	struct buf *out;
	unsigned seen[PROFILE_SANS_MAX]; /* how many of each rule were taken */
	struct buf text;                 /* of the value at hand */
};

static RESULT refuse(enum san_kind kind, const char *what, const struct profile *p, struct err *err)
{
	return err_set(err, ERR_BAD_TEMPLATE, "subjectAltName: %s %s by profile \"%s\"",
		       san_kind_name(kind), what, p->name);
}

/* An unlisted kind has no rule: NULL and the profile's choice for others. */
static const struct profile_san *find_rule(const struct profile *p, enum san_kind kind, size_t *at)
{
	for (*at = 0; *at < p->n_sans; (*at)++)
		if (p->sans[*at].kind == kind)
			return &p->sans[*at];
	return NULL;
}

static RESULT check_text(struct build *b, const struct san *san, const struct profile_san *rule,
			 struct err *err)
{
	struct profile_pattern_value v = { .where = "subjectAltName",
					   .type = san_kind_name(san->kind),
					   .text = &b->text };

	if (rule && rule->has_pattern) {
		v.regex = &rule->pattern;
		v.regex_text = rule->pattern_text;
	}
	buf_reset(&b->text);
	TRY(san_put_text(&b->text, san, err));
	return profile_pattern_check(&v, err);
}

static RESULT take_one(struct build *b, const struct san *san, struct err *err)
{
	size_t i;
	const struct profile_san *rule = find_rule(b->p, san->kind, &i);
	enum profile_choice choice = rule ? rule->choice : b->p->other_sans;

	if (choice == PROFILE_DROP)
		return OK;
	if (choice != PROFILE_OPTIONAL && choice != PROFILE_REQUIRED)
		return refuse(san->kind, "is not allowed", b->p, err);
	TRY(check_text(b, san, rule, err));
	if (rule && ++b->seen[i] > (rule->max ? rule->max : 1))
		return refuse(san->kind, "is sent more often than allowed", b->p, err);
	buf_put(b->out, san->whole);
	return OK;
}

static RESULT take_all(struct build *b, struct span value, struct err *err)
{
	struct der_reader list;
	struct san san;

	TRY(err_prefix(err, san_check(value, err), "subjectAltName asked for"));
	TRY(san_begin(value, &list, err));
	while (san_next(&list, &san))
		TRY(take_one(b, &san, err));
	return buf_check(b->out, err);
}

static bool is_label(struct span s)
{
	size_t i;

	if (s.len == 0 || s.len > 63 || s.p[0] == '-' || s.p[s.len - 1] == '-')
		return false;
	for (i = 0; i < s.len; i++)
		if (!((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z') &&
		    !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-')
			return false;
	return true;
}

/* Two labels or more, the last one not a number: "192.0.2.1" and "Router 7" are no host names. */
static bool is_dns_name(struct span s)
{
	size_t labels = 0, dot;
	bool letter = false, last = false;

	if (s.len > 253)
		return false;
	while (!last) {
		dot = span_find(s, '.');
		last = dot == s.len;
		if (!is_label(span_sub(s, 0, dot)))
			return false;
		letter = s.p[0] > '9';
		labels++;
		s = span_sub(s, dot + 1, SIZE_MAX);
	}
	return labels >= 2 && letter;
}

/* A CN that the profile's DNS rule would not take is no host name of its devices: left alone. */
static void add_common_name(struct build *b, struct span subject)
{
	size_t i;
	const struct profile_san *rule = find_rule(b->p, SAN_DNS, &i);

	buf_reset(&b->text);
	if (name_common_name(subject, &b->text, NULL) != OK || !is_dns_name(buf_span(&b->text)))
		return;
	if (rule && rule->has_pattern &&
	    regexec(&rule->pattern, buf_cstr(&b->text), 0, NULL, 0) != 0)
		return;
	if (rule)
		b->seen[i]++;
	der_put_tlv(b->out, DER_CONTEXT(SAN_DNS), buf_span(&b->text));
}

static RESULT check_required(const struct build *b, struct err *err)
{
	size_t i;

	for (i = 0; i < b->p->n_sans; i++)
		if (b->p->sans[i].choice == PROFILE_REQUIRED && b->seen[i] == 0)
			return refuse(b->p->sans[i].kind, "is missing but required", b->p, err);
	return OK;
}

static RESULT build_names(struct build *b, struct span exts, struct span subject, struct err *err)
{
	struct ext ext;

	if (ext_find(exts, OID_SUBJECT_ALT_NAME, &ext, NULL) == OK)
		TRY(take_all(b, ext.value, err));
	else if (b->p->san_from_cn)
		add_common_name(b, subject);
	TRY(check_required(b, err));
	return buf_check(b->out, err);
}

enum result profile_san(const struct profile *p, struct span exts, struct span subject,
			struct buf *out, struct err *err)
{
	BUF names = BUF_INIT;
	struct build b = { .p = p, .out = &names };
	enum result r;

	if (p->n_sans > PROFILE_SANS_MAX)
		return err_set(err, ERR_CONFIG, "profile \"%s\": more than %d SAN rules", p->name,
			       PROFILE_SANS_MAX);
	r = build_names(&b, exts, subject, err);
	buf_clear(&b.text);
	if (r != OK)
		return r;
	*out = buf_take(&names);
	return OK;
}
