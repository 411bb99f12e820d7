/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/key.h"

static enum result check_alg(const struct key *k, struct sig_alg alg, struct err *err)
{
	if (sig_alg_fits(alg, k->kind))
		return OK;
	return err_set(err, ERR_BAD_ALG, "a %s key cannot sign by %s with %s",
		       key_kind_name(k->kind), key_kind_name(alg.kind), digest_name(alg.digest));
}

enum result key_sign(struct key *k, struct crypto *c, enum key_purpose purpose, struct sig_alg alg,
		     struct span message, struct buf *out, struct err *err)
{
	TRY(check_alg(k, alg, err));
	return k->ops->sign(k, c, purpose, alg, message, out, err);
}

enum result key_sign_pieces(struct key *k, struct crypto *c, enum key_purpose purpose,
			    struct sig_alg alg, struct key_pieces *pieces, struct buf *out,
			    struct err *err)
{
	TRY(check_alg(k, alg, err));
	if (!k->ops->sign_pieces)
		return err_set(err, ERR_BAD_ALG, "this key signs only messages that are held");
	return k->ops->sign_pieces(k, c, purpose, alg, pieces, out, err);
}

enum result key_decrypt(struct key *k, struct crypto *c, const struct transport_alg *alg,
			struct span cipher, struct secret *out, struct err *err)
{
	if (k->kind != KEY_RSA)
		return err_set(err, ERR_BAD_ALG, "a %s key cannot decrypt", key_kind_name(k->kind));
	/* RFC 8017 7.1.2, 7.2.2: no key is needed to see that */
	if (cipher.len != (k->bits + 7) / 8)
		return err_set(err, ERR_BAD_CHECK, "encrypted key of %zu octets for RSA of %u bits",
			       cipher.len, k->bits);
	return k->ops->decrypt(k, c, alg, cipher, out, err);
}

enum result key_pieces_hold(struct key_pieces *pieces, struct buf *out, struct err *err)
{
	struct span piece = SPAN_NONE;

	if (pieces->total > KEY_HELD_MAX)
		return err_set(err, ERR_LIMIT,
			       "a key of this kind takes its message whole, %u octets at most, not "
			       "%llu",
			       KEY_HELD_MAX, (unsigned long long)pieces->total);
	for (;;) {
		TRY(pieces->next(pieces, &piece, err));
		if (piece.len == 0)
			return buf_check(out, err);
		buf_put(out, piece);
	}
}

enum result key_pieces_digest(struct key_pieces *pieces, struct crypto *c, enum digest_alg alg,
			      uint8_t out[DIGEST_MAX], struct err *err)
{
	CLEANUP(crypto_hash_freep) struct crypto_hash *hash = NULL;
	struct span piece = SPAN_NONE;

	TRY(crypto_hash_new(&hash, c, alg, err));
	for (;;) {
		TRY(pieces->next(pieces, &piece, err));
		if (piece.len == 0)
			return crypto_hash_end(hash, out, err);
		TRY(crypto_hash_add(hash, piece, err));
	}
}

void key_free(struct key *k)
{
	if (!k)
		return;
	buf_clear(&k->spki);
	k->ops->free(k);
}
