/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/profile_subject.h"

#include <stdio.h>

#include "ca/profile_pattern.h"
#include "der/oid.h"
#include "der/writer.h"
#include "pki/name.h"

/* A name in the making. */
struct build {
	const struct profile *p;
	struct buf *out;
	unsigned seen[PROFILE_ATTRS_MAX]; /* how often each rule was met */
	bool open;                        /* an RDN is begun... */
	unsigned rdn;                     /* ...for this one of the request... */
	size_t mark;                      /* ...at this mark... */
	unsigned in_set;                  /* ...with so many attributes */
	struct buf text;                  /* of the value at hand */
};

#define TYPE_TEXT_MAX 64

static void type_text(struct span type, char out[TYPE_TEXT_MAX])
{
	const char *known = name_type_text(type);
	BUF dotted = BUF_INIT;

	if (!known)
		oid_put_text(&dotted, type);
	(void)snprintf(out, TYPE_TEXT_MAX, "%s", known ? known : buf_cstr(&dotted));
}

/* Refuses by name; what: "is not allowed". */
static RESULT refuse(struct span type, const char *what, const struct profile *p, struct err *err)
{
	char text[TYPE_TEXT_MAX];

	type_text(type, text);
	return err_set(err, ERR_BAD_TEMPLATE, "subject: %s %s by profile \"%s\"", text, what,
		       p->name);
}

static void close_rdn(struct build *b)
{
	if (!b->open)
		return;
	if (b->in_set > 1)
		der_close_set_of(b->out, b->mark);
	else
		der_close(b->out, b->mark);
	b->open = false;
}

/* Into the RDN at hand, if the request's attribute stood in it, else into a new one. */
static void open_rdn(struct build *b, unsigned rdn)
{
	if (b->open && b->rdn != rdn)
		close_rdn(b);
	if (!b->open) {
		b->mark = der_open(b->out, DER_SET);
		b->open = true;
		b->rdn = rdn;
		b->in_set = 0;
	}
	b->in_set++;
}

/* A value of the profile's own, as RFC 5280 4.1.2.4 and Appendix A encode that type. */
static void put_fixed(struct buf *out, const struct profile_attr *rule)
{
	struct span type = buf_span(&rule->type);
	size_t mark = der_open(out, DER_SEQUENCE);
	uint8_t tag = DER_UTF8_STRING;

	if (span_eq(type, OID_C) || span_eq(type, OID_SERIAL_NUMBER) ||
	    span_eq(type, OID_DN_QUALIFIER))
		tag = DER_PRINTABLE_STRING;
	else if (span_eq(type, OID_DC) || span_eq(type, OID_EMAIL_ADDRESS))
		tag = DER_IA5_STRING;
	der_put_oid(out, type);
	der_put_tlv(out, tag, span_str(rule->value));
	der_close(out, mark);
}

static RESULT take_sent(struct build *b, const struct name_attr *a, const struct profile_attr *rule,
			struct err *err)
{
	char type[TYPE_TEXT_MAX];
	struct profile_pattern_value v = { .where = "subject", .type = type, .text = &b->text };

	type_text(a->type, type);
	if (rule && rule->has_pattern) {
		v.regex = &rule->pattern;
		v.regex_text = rule->pattern_text;
	}
	TRY(profile_pattern_check(&v, err));
	open_rdn(b, a->rdn);
	buf_put(b->out, a->whole);
	return OK;
}

static RESULT take_listed(struct build *b, const struct name_attr *a, size_t i, struct err *err)
{
	const struct profile_attr *rule = &b->p->attrs[i];

	b->seen[i]++;
	switch (rule->choice) {
	case PROFILE_FORBID:
		return refuse(a->type, "is not allowed", b->p, err);
	case PROFILE_DROP:
		return OK;
	case PROFILE_FIXED:
		if (b->seen[i] == 1) {
			open_rdn(b, a->rdn);
			put_fixed(b->out, rule);
		}
		return OK;
	case PROFILE_OPTIONAL:
	case PROFILE_REQUIRED:
		if (b->seen[i] > (rule->max ? rule->max : 1))
			return refuse(a->type, "is sent more often than allowed", b->p, err);
		return take_sent(b, a, rule, err);
	}
	return err_set(err, ERR_INTERNAL, "profile \"%s\": unknown choice", b->p->name);
}

static RESULT read_text(struct build *b, const struct name_attr *a, struct err *err)
{
	char type[TYPE_TEXT_MAX];
	enum result r;

	buf_reset(&b->text);
	r = name_value_utf8(a->tag, a->value, &b->text, err);
	if (r == OK)
		return OK;
	type_text(a->type, type);
	return err_prefix(err, r, "subject: %s", type);
}

static RESULT take_one(struct build *b, const struct name_attr *a, struct err *err)
{
	size_t i;

	TRY(read_text(b, a, err));
	if (b->text.len == 0)
		return OK;
	for (i = 0; i < b->p->n_attrs; i++)
		if (span_eq(buf_span(&b->p->attrs[i].type), a->type))
			return take_listed(b, a, i, err);
	switch (b->p->other_attrs) {
	case PROFILE_DROP:
		return OK;
	case PROFILE_OPTIONAL:
		return take_sent(b, a, NULL, err);
	default:
		return refuse(a->type, "is not allowed", b->p, err);
	}
}

/* Fixed attributes that the device left out lead the name: they are mostly C and O. */
static void put_unsent_fixed(struct build *b, struct span asked)
{
	const struct profile_attr *rule;
	struct name_iter it;
	struct name_attr a;
	bool sent;
	size_t i, set;

	for (i = 0; i < b->p->n_attrs; i++) {
		rule = &b->p->attrs[i];
		if (rule->choice != PROFILE_FIXED)
			continue;
		sent = false;
		name_iter_init(&it, asked);
		while (!sent && name_next(&it, &a))
			sent = a.value.len && span_eq(a.type, buf_span(&rule->type));
		if (sent)
			continue;
		set = der_open(b->out, DER_SET);
		put_fixed(b->out, rule);
		der_close(b->out, set);
	}
}

static RESULT check_required(const struct build *b, struct err *err)
{
	size_t i;

	for (i = 0; i < b->p->n_attrs; i++)
		if (b->p->attrs[i].choice == PROFILE_REQUIRED && b->seen[i] == 0)
			return refuse(buf_span(&b->p->attrs[i].type), "is missing but required",
				      b->p, err);
	return OK;
}

static RESULT build_name(struct build *b, struct span asked, struct err *err)
{
	size_t seq = der_open(b->out, DER_SEQUENCE);
	struct name_iter it;
	struct name_attr a;

	put_unsent_fixed(b, asked);
	name_iter_init(&it, asked);
	while (name_next(&it, &a))
		TRY(take_one(b, &a, err));
	TRY(check_required(b, err));
	close_rdn(b);
	der_close(b->out, seq);
	return buf_check(b->out, err);
}

enum result profile_subject(const struct profile *p, struct span asked, struct buf *out,
			    struct err *err)
{
	BUF name = BUF_INIT;
	struct build b = { .p = p, .out = &name };
	enum result r;

	if (p->n_attrs > PROFILE_ATTRS_MAX)
		return err_set(err, ERR_CONFIG, "profile \"%s\": more than %d subject rules",
			       p->name, PROFILE_ATTRS_MAX);
	TRY(name_check(asked, err));
	r = build_name(&b, asked, err);
	buf_clear(&b.text);
	if (r != OK)
		return r;
	*out = buf_take(&name);
	return OK;
}
