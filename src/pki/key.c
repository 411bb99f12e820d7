/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/key.h"

enum result key_sign(struct key *k, struct crypto *c, enum key_purpose purpose, struct sig_alg alg,
		     struct span message, struct buf *out, struct err *err)
{
	if (!sig_alg_fits(alg, k->kind))
		return err_set(err, ERR_BAD_ALG, "a %s key cannot sign by %s with %s",
			       key_kind_name(k->kind), key_kind_name(alg.kind),
			       digest_name(alg.digest));
	return k->ops->sign(k, c, purpose, alg, message, out, err);
}

enum result key_decrypt(struct key *k, struct crypto *c, const struct transport_alg *alg,
			struct span cipher, struct secret *out, struct err *err)
{
	if (k->kind != KEY_RSA)
		return err_set(err, ERR_BAD_ALG, "a %s key cannot decrypt", key_kind_name(k->kind));
	return k->ops->decrypt(k, c, alg, cipher, out, err);
}

void key_free(struct key *k)
{
	if (!k)
		return;
	buf_clear(&k->spki);
	k->ops->free(k);
}
