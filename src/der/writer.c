/* SPDX-License-Identifier: Apache-2.0 */
#include "der/writer.h"

#include <stdlib.h>
#include <string.h>

#include "der/reader.h"

size_t der_open(struct buf *out, uint8_t tag)
{
	buf_put_byte(out, tag);
	return out->len;
}

/* Length octets into at[5]; returns how many. */
static size_t length_octets(size_t len, uint8_t at[5])
{
	size_t n = 0, i;

	if (len < 0x80) {
		at[0] = (uint8_t)len;
		return 1;
	}
	while (n < 4 && len >> (8 * n))
		n++;
	at[0] = (uint8_t)(0x80 | n);
	for (i = 0; i < n; i++)
		at[1 + i] = (uint8_t)(len >> (8 * (n - 1 - i)));
	return 1 + n;
}

void der_close(struct buf *out, size_t mark)
{
	uint8_t octets[5];
	size_t len;

	if (out->failed)
		return;
	len = out->len - mark;
	if (len > UINT32_MAX) {
		out->failed = true;
		return;
	}
	buf_insert(out, mark, span_of(octets, length_octets(len, octets)));
}

/* X.690 11.6: as octet strings, the shorter one padded with zeros at its end. */
static int compare(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int c = memcmp(x->p, y->p, n);

	return c ? c : (x->len > y->len) - (x->len < y->len);
}

#define SET_OF_MAX 64

void der_close_set_of(struct buf *out, size_t mark)
{
	struct span items[SET_OF_MAX];
	struct der_reader r;
	struct der_tlv tlv;
	BUF sorted = BUF_INIT;
	size_t n = 0, i;

	if (out->failed)
		return;
	der_reader_init(&r, span_of(out->data + mark, out->len - mark));
	while (!der_at_end(&r)) {
		if (n == SET_OF_MAX || der_read_any(&r, "SET OF", &tlv, NULL) != OK) {
			out->failed = true;
			return;
		}
		items[n++] = tlv.whole;
	}
	qsort(items, n, sizeof(items[0]), compare);
	for (i = 0; i < n; i++)
		buf_put(&sorted, items[i]);
	if (sorted.failed)
		out->failed = true;
	else if (sorted.len)
		memcpy(out->data + mark, sorted.data, sorted.len);
	der_close(out, mark);
}

void der_put_header(struct buf *out, uint8_t tag, size_t len)
{
	uint8_t octets[5];

	if (len > UINT32_MAX) {
		out->failed = true;
		return;
	}
	buf_put_byte(out, tag);
	buf_put(out, span_of(octets, length_octets(len, octets)));
}

void der_put_tlv(struct buf *out, uint8_t tag, struct span content)
{
	der_put_header(out, tag, content.len);
	buf_put(out, content);
}

void der_put_magnitude(struct buf *out, struct span m)
{
	size_t mark;

	while (m.len && m.p[0] == 0)
		m = span_sub(m, 1, SIZE_MAX);
	mark = der_open(out, DER_INTEGER);
	if (m.len == 0 || m.p[0] & 0x80)
		buf_put_byte(out, 0);
	buf_put(out, m);
	der_close(out, mark);
}

void der_put_uint(struct buf *out, uint64_t v)
{
	uint8_t octets[8];
	size_t i;

	for (i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(v >> (8 * (7 - i)));
	der_put_magnitude(out, SPAN_ARRAY(octets));
}

void der_put_bool(struct buf *out, bool v)
{
	uint8_t octet = v ? 0xff : 0;

	der_put_tlv(out, DER_BOOLEAN, span_of(&octet, 1));
}

void der_put_null(struct buf *out)
{
	der_put_tlv(out, DER_NULL, SPAN_NONE);
}

void der_put_oid(struct buf *out, struct span oid)
{
	der_put_tlv(out, DER_OID, oid);
}

void der_put_octets(struct buf *out, struct span bytes)
{
	der_put_tlv(out, DER_OCTET_STRING, bytes);
}

void der_put_bits(struct buf *out, struct span bytes)
{
	size_t mark = der_open(out, DER_BIT_STRING);

	buf_put_byte(out, 0);
	buf_put(out, bytes);
	der_close(out, mark);
}

void der_put_named_bits(struct buf *out, uint32_t v)
{
	uint8_t octets[5] = { 0 };
	size_t i, top = 0;

	for (i = 0; i < 32; i++)
		if (v >> i & 1) {
			octets[1 + i / 8] |= (uint8_t)(0x80 >> (i % 8));
			top = i + 1;
		}
	octets[0] = (uint8_t)((8 - top % 8) % 8);
	der_put_tlv(out, DER_BIT_STRING, span_of(octets, 1 + (top + 7) / 8));
}
