/* SPDX-License-Identifier: Apache-2.0 */
#include "scep/caps.h"

static const struct {
	const char *keyword; /* in the case that RFC 8894 3.5.2 demands of a CA */
	uint32_t cap;
	uint32_t implies;
} keywords[] = {
	{ "AES", SCEP_CAP_AES, 0 },
	{ "DES3", SCEP_CAP_DES3, 0 },
	{ "GetNextCACert", SCEP_CAP_GET_NEXT_CA_CERT, 0 },
	{ "POSTPKIOperation", SCEP_CAP_POST, 0 },
	{ "Renewal", SCEP_CAP_RENEWAL, 0 },
	{ "SHA-1", SCEP_CAP_SHA1, 0 },
	{ "SHA-256", SCEP_CAP_SHA256, 0 },
	/* not in RFC 8894, but true, and strongSwan 5.9 takes it for SCEPStandard */
	{ "SHA-384", SCEP_CAP_SHA384, 0 },
	{ "SHA-512", SCEP_CAP_SHA512, 0 },
	{ "SCEPStandard", SCEP_CAP_STANDARD, SCEP_CAP_AES | SCEP_CAP_POST | SCEP_CAP_SHA256 },
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(struct span line)
{
	while (line.len && is_blank(line.p[0]))
		line = span_sub(line, 1, SIZE_MAX);
	while (line.len && is_blank(line.p[line.len - 1]))
		line.len--;
	return line;
}

static uint32_t parse_line(struct span line)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(keywords); i++)
		if (span_eq_nocase(line, span_str(keywords[i].keyword)))
			return keywords[i].cap | keywords[i].implies;
	return 0;
}

uint32_t scep_caps_parse(struct span text)
{
	uint32_t caps = 0;

	while (text.len) {
		size_t end = span_find(text, '\n');

		caps |= parse_line(trim(span_sub(text, 0, end)));
		text = span_sub(text, end + 1, SIZE_MAX);
	}
	return caps;
}

void scep_caps_put(struct buf *out, uint32_t caps)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(keywords); i++)
		if (caps & keywords[i].cap)
			buf_printf(out, "%s\n", keywords[i].keyword);
}
