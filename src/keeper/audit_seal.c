/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/audit_seal.h"

#define NUMBER 8

static const char domain[] = "scepter-audit-seal-1"; /* its NUL is part of it */

#define SEAL_OCTETS (sizeof(domain) + 3 * NUMBER + 2 * AUDIT_HASH)

static void put_number(struct buf *out, int64_t n)
{
	int shift;

	for (shift = 56; shift >= 0; shift -= 8)
		buf_put_byte(out, (uint8_t)((uint64_t)n >> shift));
}

enum result audit_seal_put(const struct audit_seal *seal, struct buf *out, struct err *err)
{
	buf_put(out, SPAN_ARRAY(domain));
	put_number(out, seal->first);
	buf_put(out, SPAN_ARRAY(seal->prev));
	put_number(out, seal->last);
	buf_put(out, SPAN_ARRAY(seal->hash));
	put_number(out, seal->time);
	return buf_check(out, err);
}

static int64_t get_number(struct span *s)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < NUMBER; i++)
		n = n << 8 | s->p[i];
	*s = span_sub(*s, NUMBER, SIZE_MAX);
	return (int64_t)n;
}

static void get_hash(struct span *s, uint8_t out[AUDIT_HASH])
{
	memcpy(out, s->p, AUDIT_HASH);
	*s = span_sub(*s, AUDIT_HASH, SIZE_MAX);
}

static bool is_zero(const uint8_t hash[AUDIT_HASH])
{
	static const uint8_t zeros[AUDIT_HASH];

	return memcmp(hash, zeros, AUDIT_HASH) == 0;
}

enum result audit_seal_parse(struct span message, struct audit_seal *out, struct err *err)
{
	struct audit_seal seal;
	struct span rest = message;

	if (message.len != SEAL_OCTETS ||
	    !span_eq(span_sub(message, 0, sizeof(domain)), SPAN_ARRAY(domain)))
		return err_set(err, ERR_SYNTAX, "%zu octets that are no audit seal", message.len);
	rest = span_sub(rest, sizeof(domain), SIZE_MAX);
	seal.first = get_number(&rest);
	get_hash(&rest, seal.prev);
	seal.last = get_number(&rest);
	get_hash(&rest, seal.hash);
	seal.time = get_number(&rest);
	if (seal.first < 1 || seal.last < seal.first || (seal.first == 1) != is_zero(seal.prev))
		return err_set(err, ERR_SYNTAX, "an audit seal on events %lld to %lld",
			       (long long)seal.first, (long long)seal.last);
	*out = seal;
	return OK;
}
