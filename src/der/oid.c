/* SPDX-License-Identifier: Apache-2.0 */
#include "der/oid.h"

#include <stdlib.h>

#define X(id, octets, name)                                                                        \
	const struct span OID_##id = { (const uint8_t *)(octets), sizeof(octets) - 1 };
#include "der/oid_list.h"
#undef X

static const struct oid_entry known[] = {
#define X(id, octets, name) { { (const uint8_t *)(octets), sizeof(octets) - 1 }, name },
#include "der/oid_list.h"
#undef X
};

const char *oid_name(struct span oid)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++)
		if (span_eq(known[i].oid, oid))
			return known[i].name;
	return NULL;
}

void oid_put_text(struct buf *out, struct span oid)
{
	uint64_t v = 0;
	bool first = true;
	size_t i;

	for (i = 0; i < oid.len; i++) {
		v = v << 7 | (oid.p[i] & 0x7f);
		if (oid.p[i] & 0x80)
			continue;
		if (first) {
			uint64_t top = v < 80 ? v / 40 : 2;

			buf_printf(out, "%llu.%llu", (unsigned long long)top,
				   (unsigned long long)(v - top * 40));
		} else {
			buf_printf(out, ".%llu", (unsigned long long)v);
		}
		first = false;
		v = 0;
	}
}

static void put_arc(struct buf *out, uint64_t v)
{
	uint8_t octets[10];
	size_t n = 0;

	do {
		octets[sizeof(octets) - 1 - n] = (uint8_t)((v & 0x7f) | (n ? 0x80 : 0));
		v >>= 7;
		n++;
	} while (v);
	buf_put(out, span_of(octets + sizeof(octets) - n, n));
}

enum result oid_parse(const char *dotted, struct buf *out, struct err *err)
{
	unsigned long long arc, first = 0;
	const char *at = dotted;
	BUF got = BUF_INIT;
	char *end = NULL;
	size_t n;

	for (n = 0;; n++, at = end + 1) {
		if (*at < '0' || *at > '9')
			return err_set(err, ERR_SYNTAX, "\"%s\" is not an OID", dotted);
		arc = strtoull(at, &end, 10);
		if (arc > (UINT64_MAX >> 8) || (n == 0 && arc > 2) ||
		    (n == 1 && first < 2 && arc > 39))
			return err_set(err, ERR_SYNTAX, "\"%s\": arc out of range", dotted);
		if (n == 0)
			first = arc;
		else
			put_arc(&got, n == 1 ? first * 40 + arc : arc);
		if (*end == '\0')
			break;
		if (*end != '.')
			return err_set(err, ERR_SYNTAX, "\"%s\" is not an OID", dotted);
	}
	if (n == 0)
		return err_set(err, ERR_SYNTAX, "\"%s\" is not an OID", dotted);
	if (got.len > OID_OCTETS_MAX)
		return err_set(err, ERR_LIMIT, "OID of %zu octets, at most %d", got.len,
			       OID_OCTETS_MAX);
	buf_put(out, buf_span(&got));
	return buf_check(out, err);
}
