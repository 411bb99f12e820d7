/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/rule_tls.h"

#include "base/random.h"

#define PAD_OCTETS 64
#define PAD_OCTET 0x20
#define RANDOM_OCTETS 32
#define HASH_OCTETS 32
#define NAMED_CURVE 3 /* ECCurveType (RFC 8422 5.4) */

static const char context[] = "TLS 1.3, server CertificateVerify"; /* its NUL is part of it */

static bool is_certificate_verify(struct span m)
{
	struct span text = span_of(context, sizeof(context));
	size_t i, hash;

	if (m.len < PAD_OCTETS + text.len || !span_eq(span_sub(m, PAD_OCTETS, text.len), text))
		return false;
	for (i = 0; i < PAD_OCTETS; i++)
		if (m.p[i] != PAD_OCTET)
			return false;
	hash = m.len - PAD_OCTETS - text.len;
	return hash == 32 || hash == 48;
}

static bool is_server_key_exchange(struct span m)
{
	struct span params = span_sub(m, 2 * RANDOM_OCTETS, SIZE_MAX);

	return params.len > 4 && params.p[0] == NAMED_CURVE && params.len == 4u + params.p[3];
}

enum result rule_tls_check(struct span message, struct err *err)
{
	if (is_certificate_verify(message) || is_server_key_exchange(message))
		return OK;
	return err_set(err, ERR_DENIED,
		       "key rule: %zu bytes that are no TLS server's signature input", message.len);
}

enum result rule_tls_put_trial(struct buf *out, struct err *err)
{
	uint8_t hash[HASH_OCTETS];
	size_t i;

	TRY(random_fill(hash, sizeof(hash), err));
	for (i = 0; i < PAD_OCTETS; i++)
		buf_put_byte(out, PAD_OCTET);
	buf_put(out, span_of(context, sizeof(context)));
	buf_put(out, SPAN_ARRAY(hash));
	return buf_check(out, err);
}
