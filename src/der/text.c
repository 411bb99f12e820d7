/* SPDX-License-Identifier: Apache-2.0 */
#include "der/text.h"

#define UNICODE_MAX 0x10ffff

enum form { FORM_NONE, FORM_ASCII, FORM_LATIN1, FORM_UTF8, FORM_UTF16, FORM_UTF32 };

static const uint8_t forms[DER_BMP_STRING + 1] = {
	[DER_UTF8_STRING] = FORM_UTF8,       [DER_NUMERIC_STRING] = FORM_ASCII,
	[DER_PRINTABLE_STRING] = FORM_ASCII, [DER_T61_STRING] = FORM_LATIN1,
	[DER_IA5_STRING] = FORM_ASCII,       [DER_VISIBLE_STRING] = FORM_ASCII,
	[DER_UNIVERSAL_STRING] = FORM_UTF32, [DER_BMP_STRING] = FORM_UTF16,
};

static enum form form_of(uint8_t tag)
{
	return tag < sizeof(forms) ? (enum form)forms[tag] : FORM_NONE;
}

bool der_text_is_string(uint8_t tag)
{
	return form_of(tag) != FORM_NONE;
}

static bool is_surrogate(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

/* Big-endian unit of n octets. */
static bool take_unit(struct span *text, size_t n, uint32_t *out)
{
	uint32_t v = 0;
	size_t i;

	if (text->len < n)
		return false;
	for (i = 0; i < n; i++)
		v = v << 8 | text->p[i];
	*text = span_sub(*text, n, SIZE_MAX);
	*out = v;
	return true;
}

static int32_t next_utf8(struct span *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t lead = text->p[0];
	size_t n = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? lead : lead & (0xffU >> (n + 1));
	size_t i;

	if (n == 0 || lead >= 0xf8 || text->len < n)
		return DER_TEXT_BAD;
	for (i = 1; i < n; i++) {
		if ((text->p[i] & 0xc0) != 0x80)
			return DER_TEXT_BAD;
		c = c << 6 | (text->p[i] & 0x3f);
	}
	if (c < least[n] || c > UNICODE_MAX || is_surrogate(c))
		return DER_TEXT_BAD;
	*text = span_sub(*text, n, SIZE_MAX);
	return (int32_t)c;
}

static int32_t next_utf16(struct span *text)
{
	uint32_t c, low;

	if (!take_unit(text, 2, &c))
		return DER_TEXT_BAD;
	if (!is_surrogate(c))
		return (int32_t)c;
	if (c >= 0xdc00 || !take_unit(text, 2, &low) || low < 0xdc00 || low > 0xdfff)
		return DER_TEXT_BAD;
	return (int32_t)(0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
}

static int32_t next_utf32(struct span *text)
{
	uint32_t c;

	if (!take_unit(text, 4, &c) || c > UNICODE_MAX || is_surrogate(c))
		return DER_TEXT_BAD;
	return (int32_t)c;
}

static int32_t next_octet(struct span *text, uint32_t max)
{
	uint32_t c;

	return take_unit(text, 1, &c) && c <= max ? (int32_t)c : DER_TEXT_BAD;
}

int32_t der_text_next(uint8_t tag, struct span *text)
{
	int32_t c = DER_TEXT_BAD;

	if (text->len == 0)
		return DER_TEXT_END;
	switch (form_of(tag)) {
	case FORM_NONE:
		break;
	case FORM_ASCII:
		c = next_octet(text, 0x7f);
		break;
	case FORM_LATIN1:
		c = next_octet(text, 0xff);
		break;
	case FORM_UTF8:
		c = next_utf8(text);
		break;
	case FORM_UTF16:
		c = next_utf16(text);
		break;
	case FORM_UTF32:
		c = next_utf32(text);
		break;
	}
	return c == 0 ? DER_TEXT_BAD : c;
}

static void put_utf8(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_put_byte(out, (uint8_t)c);
		return;
	}
	if (c < 0x800) {
		buf_put_byte(out, (uint8_t)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_put_byte(out, (uint8_t)(0xe0 | c >> 12));
		} else {
			buf_put_byte(out, (uint8_t)(0xf0 | c >> 18));
			buf_put_byte(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_put_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_put_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
}

enum result der_text_utf8(uint8_t tag, struct span text, const char *what, struct buf *out,
			  struct err *err)
{
	size_t before = out->len;
	int32_t c;

	if (!der_text_is_string(tag))
		return err_set(err, ERR_SYNTAX, "%s: tag 0x%02x is no character string", what, tag);
	while ((c = der_text_next(tag, &text)) >= 0)
		put_utf8(out, (uint32_t)c);
	if (c == DER_TEXT_BAD) {
		out->len = before;
		return err_set(err, ERR_SYNTAX, "%s: not text of the string type 0x%02x", what,
			       tag);
	}
	return buf_check(out, err);
}
