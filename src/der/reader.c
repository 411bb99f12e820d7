/* SPDX-License-Identifier: Apache-2.0 */
#include "der/reader.h"

#include "der/oid.h"

void der_reader_init(struct der_reader *r, struct span bytes)
{
	*r = (struct der_reader){ bytes, 0 };
}

bool der_at_end(const struct der_reader *r)
{
	return r->rest.len == 0;
}

bool der_peek(const struct der_reader *r, uint8_t tag)
{
	return r->rest.len > 0 && r->rest.p[0] == tag;
}

/* Length octets (X.690 8.1.3, 10.1); *head is the number of octets of tag and length. */
static enum result read_length(struct span in, const char *what, size_t *head, size_t *len,
			       struct err *err)
{
	size_t n, i, v = 0;

	if (in.len < 2)
		return err_set(err, ERR_SYNTAX, "%s: truncated header", what);
	if (in.p[1] < 0x80) {
		*head = 2;
		*len = in.p[1];
		return OK;
	}
	n = in.p[1] & 0x7f;
	if (n == 0)
		return err_set(err, ERR_SYNTAX, "%s: indefinite length is not DER", what);
	if (n > 4)
		return err_set(err, ERR_LIMIT, "%s: length of %zu octets", what, n);
	if (in.len < 2 + n)
		return err_set(err, ERR_SYNTAX, "%s: truncated length", what);
	for (i = 0; i < n; i++)
		v = v << 8 | in.p[2 + i];
	if (v < 0x80 || (n > 1 && in.p[2] == 0))
		return err_set(err, ERR_SYNTAX, "%s: length is not minimal", what);
	*head = 2 + n;
	*len = v;
	return OK;
}

enum result der_read_any(struct der_reader *r, const char *what, struct der_tlv *out,
			 struct err *err)
{
	size_t head = 0, len = 0;

	if (der_at_end(r))
		return err_set(err, ERR_SYNTAX, "%s: missing", what);
	if ((r->rest.p[0] & 0x1f) == 0x1f)
		return err_set(err, ERR_SYNTAX, "%s: tag number above 30", what);
	TRY(read_length(r->rest, what, &head, &len, err));
	if (len > r->rest.len - head)
		return err_set(err, ERR_SYNTAX, "%s: length %zu exceeds the %zu bytes left", what,
			       len, r->rest.len - head);
	out->tag = r->rest.p[0];
	out->content = span_sub(r->rest, head, len);
	out->whole = span_sub(r->rest, 0, head + len);
	r->rest = span_sub(r->rest, head + len, SIZE_MAX);
	return OK;
}

enum result der_read(struct der_reader *r, uint8_t tag, const char *what, struct der_tlv *out,
		     struct err *err)
{
	if (!der_at_end(r) && r->rest.p[0] != tag)
		return err_set(err, ERR_SYNTAX, "%s: tag 0x%02x where 0x%02x is expected", what,
			       r->rest.p[0], tag);
	return der_read_any(r, what, out, err);
}

enum result der_enter(struct der_reader *r, uint8_t tag, const char *what, struct der_reader *inner,
		      struct err *err)
{
	struct der_tlv tlv;

	if (r->depth >= DER_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "%s: nested deeper than %d", what, DER_DEPTH_MAX);
	TRY(der_read(r, tag, what, &tlv, err));
	*inner = (struct der_reader){ tlv.content, (uint8_t)(r->depth + 1) };
	return OK;
}

enum result der_end(const struct der_reader *r, const char *what, struct err *err)
{
	if (!der_at_end(r))
		return err_set(err, ERR_SYNTAX, "%s: %zu trailing bytes", what, r->rest.len);
	return OK;
}

enum result der_read_integer(struct der_reader *r, const char *what, struct span *out,
			     struct err *err)
{
	struct der_tlv tlv;
	struct span c;

	TRY(der_read(r, DER_INTEGER, what, &tlv, err));
	c = tlv.content;
	if (c.len == 0)
		return err_set(err, ERR_SYNTAX, "%s: empty INTEGER", what);
	if (c.len > 1 && ((c.p[0] == 0 && c.p[1] < 0x80) || (c.p[0] == 0xff && c.p[1] >= 0x80)))
		return err_set(err, ERR_SYNTAX, "%s: INTEGER is not minimal", what);
	*out = c;
	return OK;
}

enum result der_read_uint(struct der_reader *r, const char *what, uint64_t max, uint64_t *out,
			  struct err *err)
{
	struct span c;
	uint64_t v = 0;
	size_t i;

	TRY(der_read_integer(r, what, &c, err));
	if (c.p[0] >= 0x80)
		return err_set(err, ERR_SYNTAX, "%s: negative", what);
	if (c.len > 9 || (c.len == 9 && c.p[0] != 0))
		return err_set(err, ERR_LIMIT, "%s: larger than %llu", what,
			       (unsigned long long)max);
	for (i = 0; i < c.len; i++)
		v = v << 8 | c.p[i];
	if (v > max)
		return err_set(err, ERR_LIMIT, "%s: %llu is larger than %llu", what,
			       (unsigned long long)v, (unsigned long long)max);
	*out = v;
	return OK;
}

enum result der_read_bool(struct der_reader *r, const char *what, bool *out, struct err *err)
{
	struct der_tlv tlv;

	TRY(der_read(r, DER_BOOLEAN, what, &tlv, err));
	if (tlv.content.len != 1)
		return err_set(err, ERR_SYNTAX, "%s: BOOLEAN of %zu octets", what, tlv.content.len);
	*out = tlv.content.p[0] != 0;
	return OK;
}

enum result der_read_oid(struct der_reader *r, const char *what, struct span *out, struct err *err)
{
	struct der_tlv tlv;
	size_t i;

	TRY(der_read(r, DER_OID, what, &tlv, err));
	if (tlv.content.len == 0 || tlv.content.p[tlv.content.len - 1] & 0x80)
		return err_set(err, ERR_SYNTAX, "%s: malformed OBJECT IDENTIFIER", what);
	if (tlv.content.len > OID_OCTETS_MAX)
		return err_set(err, ERR_LIMIT, "%s: OBJECT IDENTIFIER of %zu octets", what,
			       tlv.content.len);
	for (i = 0; i < tlv.content.len; i++)
		if (tlv.content.p[i] == 0x80 && (i == 0 || !(tlv.content.p[i - 1] & 0x80)))
			return err_set(err, ERR_SYNTAX, "%s: OBJECT IDENTIFIER is not minimal",
				       what);
	*out = tlv.content;
	return OK;
}

static enum result read_bit_string(struct der_reader *r, const char *what, struct span *octets,
				   unsigned *unused, struct err *err)
{
	struct der_tlv tlv;

	TRY(der_read(r, DER_BIT_STRING, what, &tlv, err));
	if (tlv.content.len == 0 || tlv.content.p[0] > 7 ||
	    (tlv.content.len == 1 && tlv.content.p[0] != 0))
		return err_set(err, ERR_SYNTAX, "%s: malformed BIT STRING", what);
	*unused = tlv.content.p[0];
	*octets = span_sub(tlv.content, 1, SIZE_MAX);
	return OK;
}

enum result der_read_bits(struct der_reader *r, const char *what, struct span *out, struct err *err)
{
	struct span octets;
	unsigned unused = 0;

	TRY(read_bit_string(r, what, &octets, &unused, err));
	if (unused)
		return err_set(err, ERR_SYNTAX, "%s: BIT STRING with %u unused bits", what, unused);
	*out = octets;
	return OK;
}

enum result der_read_named_bits(struct der_reader *r, const char *what, uint32_t *out,
				struct err *err)
{
	struct span octets;
	unsigned unused = 0;
	uint32_t v = 0;
	size_t i, bits;

	TRY(read_bit_string(r, what, &octets, &unused, err));
	if (octets.len > 4)
		return err_set(err, ERR_LIMIT, "%s: more than 32 named bits", what);
	bits = octets.len * 8 - unused;
	for (i = 0; i < bits; i++)
		if (octets.p[i / 8] & (0x80 >> (i % 8)))
			v |= UINT32_C(1) << i;
	*out = v;
	return OK;
}

enum result der_read_header(struct span beginning, uint8_t tag, const char *what, size_t *header,
			    size_t *content, struct err *err)
{
	if (beginning.len == 0 || beginning.p[0] != tag)
		return err_set(err, ERR_SYNTAX, "%s: no tag 0x%02x", what, tag);
	return read_length(beginning, what, header, content, err);
}

enum result der_read_whole(struct span bytes, uint8_t tag, const char *what,
			   struct der_reader *inner, struct err *err)
{
	struct der_reader r;

	der_reader_init(&r, bytes);
	TRY(der_enter(&r, tag, what, inner, err));
	return der_end(&r, what, err);
}
