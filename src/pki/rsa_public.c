/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/rsa_public.h"

#include <stdlib.h>

#include <openssl/bn.h>

#include "der/reader.h"
#include "pki/crypto_evp.h"
#include "pki/pkcs1.h"

struct rsa_public {
	BN_CTX *scratch; /* the crypto's */
	BIGNUM *n;
	BIGNUM *e;
	BN_MONT_CTX *mont; /* of n */
	size_t size;       /* octets of n */
};

static enum result read_magnitude(struct der_reader *r, const char *what, struct span *out,
				  struct err *err)
{
	struct span v;

	TRY(der_read_integer(r, what, &v, err));
	if (v.p[0] & 0x80)
		return err_set(err, ERR_SYNTAX, "%s: negative", what);
	*out = v.p[0] == 0 ? span_sub(v, 1, SIZE_MAX) : v;
	return OK;
}

enum result rsa_public_read(struct span key, struct rsa_parts *out, struct err *err)
{
	struct rsa_parts parts;
	struct der_reader r;

	TRY(der_read_whole(key, DER_SEQUENCE, "RSAPublicKey", &r, err));
	TRY(read_magnitude(&r, "RSAPublicKey.modulus", &parts.n, err));
	TRY(read_magnitude(&r, "RSAPublicKey.publicExponent", &parts.e, err));
	TRY(der_end(&r, "RSAPublicKey", err));
	*out = parts;
	return OK;
}

enum result rsa_public_new(struct rsa_public **out, struct crypto *c, const struct rsa_parts *parts,
			   struct err *err)
{
	CLEANUP(rsa_public_freep) struct rsa_public *k = calloc(1, sizeof(*k));

	if (!k)
		return err_nomem(err);
	k->scratch = crypto_numbers(c);
	k->size = parts->n.len;
	k->n = BN_bin2bn(parts->n.p, (int)parts->n.len, NULL);
	k->e = BN_bin2bn(parts->e.p, (int)parts->e.len, NULL);
	k->mont = BN_MONT_CTX_new();
	if (!k->n || !k->e || !k->mont || BN_MONT_CTX_set(k->mont, k->n, k->scratch) != 1)
		return crypto_fail(err, ERR_BAD_ALG, "RSA public key is not usable");
	*out = take(k);
	return OK;
}

void rsa_public_free(struct rsa_public *k)
{
	if (!k)
		return;
	BN_MONT_CTX_free(k->mont);
	BN_free(k->e);
	BN_free(k->n);
	free(k);
}

/* in^e mod n (5.1.1, 5.2.2) as long as n. False: in is none of 0 to n - 1, or no memory. */
static bool raise_to_e(const struct rsa_public *k, BN_CTX *scratch, struct span in, uint8_t *out)
{
	BIGNUM *x;
	bool ok;

	BN_CTX_start(scratch);
	x = BN_CTX_get(scratch);
	ok = x && BN_bin2bn(in.p, (int)in.len, x) && BN_ucmp(x, k->n) < 0 &&
	     BN_mod_exp_mont(x, x, k->e, k->n, scratch, k->mont) == 1 &&
	     BN_bn2binpad(x, out, (int)k->size) == (int)k->size;
	BN_CTX_end(scratch);
	return ok;
}

/* Compared whole with what it must be: nothing of the signer's making is parsed. */
enum result rsa_public_verify(struct rsa_public *k, enum digest_alg alg, struct span digest,
			      struct span signature, struct err *err)
{
	uint8_t raised[RSA_BITS_MAX / 8];
	BUF wanted = BUF_INIT;

	TRY(pkcs1_put_signed(&wanted, k->size, alg, digest, err));
	if (signature.len != k->size)
		return err_set(err, ERR_BAD_CHECK, "RSA signature of %zu octets, modulus of %zu",
			       signature.len, k->size);
	if (!raise_to_e(k, k->scratch, signature, raised) ||
	    memcmp(raised, wanted.data, k->size) != 0)
		return crypto_fail(err, ERR_BAD_CHECK, "RSA signature does not verify");
	return OK;
}

/* Scratch of its own, which is wiped when it is freed: what is encrypted is a secret. */
enum result rsa_public_encrypt(struct rsa_public *k, struct span plain, struct buf *out,
			       struct err *err)
{
	size_t before = out->len;
	BUF_SECRET block = BUF_INIT;
	BN_CTX *scratch;
	uint8_t *at;
	bool ok;

	TRY(pkcs1_put_encrypted(&block, k->size, plain, err));
	at = buf_extend(out, k->size);
	if (!at)
		return err_nomem(err);
	scratch = BN_CTX_new();
	ok = scratch && raise_to_e(k, scratch, buf_span(&block), at);
	BN_CTX_free(scratch);
	if (ok)
		return OK;
	out->len = before;
	return crypto_fail(err, ERR_INTERNAL, "RSA key transport");
}
