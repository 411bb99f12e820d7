/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The weakest algorithms that an endpoint takes. RFC 8894 2.9 wants SHA-256 and AES; GetCACaps
 * travels unprotected, so what a device could be talked down to is refused unless `legacy` says so.
 */
#include "scep/exchange.h"

static RESULT too_weak(const char *where, const char *name, const char *floor, struct err *err)
{
	return err_set(err, ERR_BAD_ALG, "RFC 8894 2.9: %s with %s, this endpoint wants %s", where,
		       name, floor);
}

static const char *floor_name(const struct scep_endpoint *e, const char *modern, const char *legacy)
{
	return e->allow_sha1_3des || e->allow_md5_des ? legacy : modern;
}

enum result scep_floor_digest(const struct scep_exchange *x, enum digest_alg alg, const char *where,
			      struct err *err)
{
	const struct scep_endpoint *e = x->endpoint;

	if (!digest_is_legacy(alg) || e->allow_md5_des ||
	    (alg == DIGEST_SHA1 && e->allow_sha1_3des))
		return OK;
	return too_weak(where, digest_name(alg), floor_name(e, "SHA-256", "SHA-1"), err);
}

enum result scep_floor_cipher(const struct scep_exchange *x, enum cipher_alg alg, const char *where,
			      struct err *err)
{
	const struct scep_endpoint *e = x->endpoint;

	if (!cipher_is_legacy(alg) || e->allow_md5_des ||
	    (alg == CIPHER_DES_EDE3_CBC && e->allow_sha1_3des))
		return OK;
	return too_weak(where, cipher_name(alg), floor_name(e, "AES-128-CBC", "3DES-CBC"), err);
}
