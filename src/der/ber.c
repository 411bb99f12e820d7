/* SPDX-License-Identifier: Apache-2.0 */
#include "der/ber.h"

#include "der/reader.h"
#include "der/writer.h"

#define CONSTRUCTED_OCTETS (DER_OCTET_STRING | DER_CONSTRUCTED)

/* A constructed element that has been begun. */
struct frame {
	size_t end; /* where its content ends, or at the latest ends if indefinite */
	size_t mark;
	bool indefinite;
	bool joining; /* an OCTET STRING in segments */
	bool opened;  /* has an element of its own in the output; a segment has none */
};

/* One pass over the input; it writes where out is set, and only checks else. */
struct walk {
	struct span in;
	size_t at;
	size_t elements;
	const struct ber_limits *limits;
	struct frame stack[DER_DEPTH_MAX];
	size_t depth;
	struct buf *out;
	bool is_der;
};

struct head {
	uint8_t tag;
	size_t len;
	bool indefinite;
};

static struct frame *top(struct walk *w)
{
	return w->depth > 0 ? &w->stack[w->depth - 1] : NULL;
}

static size_t limit_of(struct walk *w)
{
	return w->depth > 0 ? top(w)->end : w->in.len;
}

/* Length octets in long form: n of them, at w->at (X.690 8.1.3.5). */
static enum result read_long_length(struct walk *w, size_t n, size_t *out, struct err *err)
{
	size_t i, v = 0;

	if (n > 8 || n > limit_of(w) - w->at)
		return err_set(err, ERR_SYNTAX, "BER: offset %zu: length of %zu octets", w->at, n);
	for (i = 0; i < n; i++) {
		if (v > SIZE_MAX >> 8)
			return err_set(err, ERR_LIMIT, "BER: offset %zu: length too large", w->at);
		v = v << 8 | w->in.p[w->at + i];
	}
	if (v < 0x80 || w->in.p[w->at] == 0)
		w->is_der = false;
	w->at += n;
	*out = v;
	return OK;
}

static enum result read_head(struct walk *w, struct head *h, struct err *err)
{
	size_t start = w->at;
	uint8_t first;

	if (limit_of(w) - w->at < 2)
		return err_set(err, ERR_SYNTAX, "BER: offset %zu: truncated header", start);
	h->tag = w->in.p[w->at++];
	first = w->in.p[w->at++];
	h->len = first & 0x7f;
	h->indefinite = first == 0x80;
	if ((h->tag & 0x1f) == 0x1f)
		return err_set(err, ERR_SYNTAX, "BER: offset %zu: tag number above 30", start);
	if (h->indefinite) {
		w->is_der = false;
		if (!(h->tag & DER_CONSTRUCTED))
			return err_set(err, ERR_SYNTAX,
				       "BER: offset %zu: primitive element of indefinite length",
				       start);
		return OK;
	}
	if (first & 0x80)
		TRY(read_long_length(w, h->len, &h->len, err));
	if (h->len > limit_of(w) - w->at)
		return err_set(err, ERR_SYNTAX, "BER: offset %zu: length %zu exceeds the %zu left",
			       start, h->len, limit_of(w) - w->at);
	return OK;
}

static enum result begin(struct walk *w, const struct head *h, struct err *err)
{
	const struct frame *outer = top(w);
	struct frame f = { .indefinite = h->indefinite };

	if (w->depth >= DER_DEPTH_MAX || w->depth >= w->limits->depth)
		return err_set(err, ERR_LIMIT, "BER: nested deeper than %zu", w->depth);
	f.end = h->indefinite ? limit_of(w) : w->at + h->len;
	f.joining = h->tag == CONSTRUCTED_OCTETS;
	f.opened = !outer || !outer->joining;
	if (f.joining)
		w->is_der = false;
	if (w->out && f.opened)
		f.mark = der_open(w->out, f.joining ? DER_OCTET_STRING : h->tag);
	w->stack[w->depth++] = f;
	return OK;
}

static void primitive(struct walk *w, const struct head *h)
{
	struct span content = span_sub(w->in, w->at, h->len);

	w->at += h->len;
	if (!w->out)
		return;
	if (w->depth > 0 && top(w)->joining)
		buf_put(w->out, content);
	else
		der_put_tlv(w->out, h->tag, content);
}

static enum result element(struct walk *w, struct err *err)
{
	size_t start = w->at;
	struct head h = { 0 };

	if (++w->elements > w->limits->elements)
		return err_set(err, ERR_LIMIT, "BER: more than %zu elements", w->limits->elements);
	TRY(read_head(w, &h, err));
	if (h.tag == 0)
		return err_set(err, ERR_SYNTAX, "BER: offset %zu: end-of-contents out of place",
			       start);
	if (w->depth > 0 && top(w)->joining &&
	    (h.tag & (uint8_t)~DER_CONSTRUCTED) != DER_OCTET_STRING)
		return err_set(err, ERR_SYNTAX,
			       "BER: offset %zu: tag 0x%02x in a constructed OCTET STRING", start,
			       h.tag);
	if (h.tag & DER_CONSTRUCTED)
		return begin(w, &h, err);
	primitive(w, &h);
	return OK;
}

/* Ends the innermost element if its content is read; false if there is more of it. */
static bool end(struct walk *w)
{
	const struct frame *f = top(w);

	if (f->indefinite) {
		if (f->end - w->at < 2 || w->in.p[w->at] != 0 || w->in.p[w->at + 1] != 0)
			return false;
		w->at += 2;
	} else if (w->at < f->end) {
		return false;
	}
	if (w->out && f->opened)
		der_close(w->out, f->mark);
	w->depth--;
	return true;
}

static enum result walk(struct walk *w, struct err *err)
{
	w->is_der = true;
	do {
		TRY(element(w, err));
		while (w->depth > 0 && end(w))
			;
	} while (w->depth > 0);
	if (w->at != w->in.len)
		return err_set(err, ERR_SYNTAX, "BER: %zu trailing bytes", w->in.len - w->at);
	return OK;
}

enum result ber_to_der(struct span ber, const struct ber_limits *limits, struct buf *out,
		       bool *was_der, struct err *err)
{
	struct walk check = { .in = ber, .limits = limits };
	struct walk convert = { .in = ber, .limits = limits, .out = out };
	size_t before = out->len;
	enum result res;

	if (ber.len > limits->bytes)
		return err_set(err, ERR_LIMIT, "BER: %zu bytes where %zu are the limit", ber.len,
			       limits->bytes);
	TRY(walk(&check, err));
	if (!check.is_der) {
		res = walk(&convert, err);
		if (res == OK)
			res = buf_check(out, err);
		if (res != OK) {
			out->len = before;
			return res;
		}
	}
	*was_der = check.is_der;
	return OK;
}

enum result ber_put_der(struct span ber, struct buf *out, struct err *err)
{
	bool was_der = false;

	TRY(ber_to_der(ber, &BER_LIMITS_DEFAULT, out, &was_der, err));
	if (was_der)
		buf_put(out, ber);
	return buf_check(out, err);
}

enum result ber_join_octets(struct span constructed_content, struct buf *out, struct err *err)
{
	size_t before = out->len;
	struct der_reader r;
	struct der_tlv segment;
	enum result res;

	der_reader_init(&r, constructed_content);
	while (!der_at_end(&r)) {
		res = der_read(&r, DER_OCTET_STRING, "segment of OCTET STRING", &segment, err);
		if (res != OK) {
			out->len = before;
			return res;
		}
		buf_put(out, segment.content);
	}
	return buf_check(out, err);
}
