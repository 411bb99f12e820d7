/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/name.h"

#include <stdlib.h>
#include <string.h>

#include "der/oid.h"
#include "der/text.h"
#include "der/writer.h"

static enum result read_attr(struct der_reader *set, struct name_attr *out, struct err *err)
{
	struct der_reader seq;
	struct der_tlv whole, value;

	TRY(der_read(set, DER_SEQUENCE, "AttributeTypeAndValue", &whole, err));
	seq = (struct der_reader){ whole.content, set->depth };
	TRY(der_read_oid(&seq, "AttributeTypeAndValue.type", &out->type, err));
	TRY(der_read_any(&seq, "AttributeTypeAndValue.value", &value, err));
	TRY(der_end(&seq, "AttributeTypeAndValue", err));
	out->tag = value.tag;
	out->value = value.content;
	out->whole = whole.whole;
	return OK;
}

enum result name_check(struct span der, struct err *err)
{
	struct der_reader rdns, set;
	struct name_attr attr;
	unsigned n = 0;

	TRY(der_read_whole(der, DER_SEQUENCE, "Name", &rdns, err));
	while (!der_at_end(&rdns)) {
		TRY(der_enter(&rdns, DER_SET, "RelativeDistinguishedName", &set, err));
		do {
			TRY(read_attr(&set, &attr, err));
			if (++n > NAME_RDN_MAX)
				return err_set(err, ERR_LIMIT, "Name: more than %d attributes",
					       NAME_RDN_MAX);
			if (attr.value.len > NAME_VALUE_MAX)
				return err_set(err, ERR_LIMIT,
					       "Name: value of %zu octets where %d are the limit",
					       attr.value.len, NAME_VALUE_MAX);
		} while (!der_at_end(&set));
	}
	return OK;
}

void name_iter_init(struct name_iter *it, struct span der)
{
	*it = (struct name_iter){ 0 };
	if (der_read_whole(der, DER_SEQUENCE, "Name", &it->rdns, NULL) != OK)
		it->rdns = (struct der_reader){ 0 };
}

bool name_next(struct name_iter *it, struct name_attr *out)
{
	struct name_attr attr;

	if (der_at_end(&it->set)) {
		if (der_at_end(&it->rdns) ||
		    der_enter(&it->rdns, DER_SET, "RelativeDistinguishedName", &it->set, NULL) !=
			OK)
			return false;
		it->rdn++;
	}
	if (read_attr(&it->set, &attr, NULL) != OK)
		return false;
	attr.rdn = it->rdn - 1;
	*out = attr;
	return true;
}

bool name_is_empty(struct span der)
{
	struct name_attr attr;
	struct name_iter it;

	name_iter_init(&it, der);
	return !name_next(&it, &attr);
}

enum result name_value_utf8(uint8_t tag, struct span value, struct buf *out, struct err *err)
{
	return der_text_utf8(tag, value, "AttributeValue", out, err);
}

/* Text as it is compared: runs of spaces are one, none at the ends, ASCII letters are small. */
struct folded {
	uint8_t tag;
	struct span rest;
	bool gap; /* spaces met now stand between two words, and have not been given yet */
};

static int32_t folded_next(struct folded *f)
{
	struct span ahead = f->rest;
	bool spaces = false;
	int32_t c;

	while ((c = der_text_next(f->tag, &ahead)) == ' ')
		spaces = true;
	if (spaces && f->gap && c >= 0) {
		f->gap = false;
		return ' ';
	}
	f->rest = ahead;
	f->gap = true;
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static bool value_equal(const struct name_attr *a, const struct name_attr *b)
{
	struct folded x = { a->tag, a->value, false }, y = { b->tag, b->value, false };
	int32_t c;

	if (a->tag == b->tag && span_eq(a->value, b->value))
		return true;
	do {
		c = folded_next(&x);
		if (c != folded_next(&y) || c == DER_TEXT_BAD)
			return false;
	} while (c != DER_TEXT_END);
	return true;
}

static bool has_attr(struct der_reader set, const struct name_attr *want)
{
	struct name_attr attr;

	while (!der_at_end(&set)) {
		if (read_attr(&set, &attr, NULL) != OK)
			return false;
		if (span_eq(attr.type, want->type) && value_equal(&attr, want))
			return true;
	}
	return false;
}

/* Every attribute of a is in b. The order of a SET says nothing: it depends on the string types. */
static bool within(struct der_reader a, struct der_reader b, unsigned *n)
{
	struct name_attr attr;

	for (*n = 0; !der_at_end(&a); ++*n)
		if (*n >= NAME_RDN_MAX || read_attr(&a, &attr, NULL) != OK || !has_attr(b, &attr))
			return false;
	return true;
}

static bool rdn_equal(struct der_reader a, struct der_reader b)
{
	unsigned n_a, n_b;

	return within(a, b, &n_a) && within(b, a, &n_b) && n_a == n_b;
}

/* Its RDNs, at most NAME_RDN_MAX; false where it is malformed or has more. */
static bool split(struct span der, struct der_reader rdns[NAME_RDN_MAX], unsigned *n)
{
	struct der_reader r;

	if (der_read_whole(der, DER_SEQUENCE, "Name", &r, NULL) != OK)
		return false;
	for (*n = 0; !der_at_end(&r); ++*n)
		if (*n >= NAME_RDN_MAX || der_enter(&r, DER_SET, "RDN", &rdns[*n], NULL) != OK)
			return false;
	return true;
}

bool name_equal(struct span a, struct span b)
{
	struct der_reader x[NAME_RDN_MAX], y[NAME_RDN_MAX];
	unsigned n_x, n_y, i;

	if (span_eq(a, b))
		return true;
	if (!split(a, x, &n_x) || !split(b, y, &n_y) || n_x != n_y)
		return false;
	for (i = 0; i < n_x; i++)
		if (!rdn_equal(x[i], y[i]))
			return false;
	return true;
}

bool name_equal_unordered(struct span a, struct span b)
{
	struct der_reader x[NAME_RDN_MAX], y[NAME_RDN_MAX];
	unsigned n_x, n_y, i, j;

	if (span_eq(a, b))
		return true;
	if (!split(a, x, &n_x) || !split(b, y, &n_y) || n_x != n_y)
		return false;
	for (i = 0; i < n_x; i++) {
		for (j = i; j < n_y && !rdn_equal(x[i], y[j]); j++)
			;
		if (j == n_y)
			return false;
		/* what is matched goes to the front, out of the way */
		y[j] = y[i];
	}
	return true;
}

/* ---- the same for names that are equal ---- */

#define KEY_ATTRS_MAX (2 * NAME_RDN_MAX)

static void put_folded(struct span text, struct buf *out)
{
	size_t mark = der_open(out, DER_UTF8_STRING), i;
	bool gap = false;

	for (i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];

		if (c != ' ') {
			if (gap && out->len > mark)
				buf_put_byte(out, ' ');
			buf_put_byte(out, c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c);
		}
		gap = c == ' ';
	}
	der_close(out, mark);
}

static void put_key_attr(const struct name_attr *a, struct buf *out)
{
	BUF text = BUF_INIT;
	size_t seq;

	if (name_value_utf8(a->tag, a->value, &text, NULL) != OK) {
		buf_put(out, a->whole);
		return;
	}
	seq = der_open(out, DER_SEQUENCE);
	der_put_oid(out, a->type);
	put_folded(buf_span(&text), out);
	der_close(out, seq);
}

static int compare(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	int c = memcmp(x->p, y->p, x->len < y->len ? x->len : y->len);

	return c ? c : (x->len > y->len) - (x->len < y->len);
}

enum result name_put_key(struct buf *out, struct span der, struct err *err)
{
	struct span parts[KEY_ATTRS_MAX];
	BUF all = BUF_INIT;
	struct name_iter it;
	struct name_attr attr;
	struct der_reader r;
	struct der_tlv tlv;
	size_t n = 0, i;

	name_iter_init(&it, der);
	while (name_next(&it, &attr))
		put_key_attr(&attr, &all);
	TRY(buf_check(&all, err));
	for (der_reader_init(&r, buf_span(&all)); !der_at_end(&r); parts[n++] = tlv.whole) {
		if (n == KEY_ATTRS_MAX)
			return err_set(err, ERR_LIMIT, "Name: more than %d attributes",
				       KEY_ATTRS_MAX);
		TRY(der_read_any(&r, "AttributeTypeAndValue", &tlv, err));
	}
	qsort(parts, n, sizeof(parts[0]), compare);
	for (i = 0; i < n; i++)
		buf_put(out, parts[i]);
	return buf_check(out, err);
}

enum result name_common_name(struct span der, struct buf *out, struct err *err)
{
	struct name_attr attr;
	struct name_iter it;

	name_iter_init(&it, der);
	while (name_next(&it, &attr))
		if (span_eq(attr.type, OID_CN))
			return name_value_utf8(attr.tag, attr.value, out, err);
	return err_set(err, ERR_NOT_FOUND, "Name: no commonName");
}
