/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/profile_key.h"

#include <stdio.h>

#include "pki/ext.h"
#include "pki/rsa_weak.h"

static bool matches(const struct profile_key *rule, const struct pubkey_info *key)
{
	if (rule->kind != key->kind)
		return false;
	return key->kind != KEY_RSA ||
	       (key->bits >= rule->min_bits && (!rule->max_bits || key->bits <= rule->max_bits));
}

/* "RSA 2048..4096, P-256" */
static void put_wanted(struct buf *out, const struct profile *p)
{
	size_t i;

	for (i = 0; i < p->n_keys; i++) {
		const struct profile_key *k = &p->keys[i];

		buf_printf(out, "%s%s", i ? ", " : "", key_kind_name(k->kind));
		if (k->kind == KEY_RSA && k->max_bits)
			buf_printf(out, " %u..%u", k->min_bits, k->max_bits);
		else if (k->kind == KEY_RSA)
			buf_printf(out, " from %u", k->min_bits);
	}
}

static RESULT refuse(const struct profile *p, const struct pubkey_info *key, struct err *err)
{
	BUF wanted = BUF_INIT;
	char bits[16] = "";

	put_wanted(&wanted, p);
	TRY(buf_check(&wanted, err));
	if (key->kind == KEY_RSA)
		(void)snprintf(bits, sizeof(bits), " %u", key->bits);
	return err_set(err, ERR_BAD_ALG,
		       "key: %s%s is not allowed by profile \"%s\", which takes %s",
		       key_kind_name(key->kind), bits, p->name, buf_cstr(&wanted));
}

enum result profile_key(const struct profile *p, struct span spki, struct pubkey_info *out,
			struct err *err)
{
	struct pubkey_info key;
	size_t i;

	TRY(pubkey_inspect(spki, &key, err));
	for (i = 0; i < p->n_keys; i++)
		if (matches(&p->keys[i], &key))
			break;
	if (i == p->n_keys)
		return refuse(p, &key, err);
	if (key.kind == KEY_RSA)
		TRY(rsa_weak_check(key.key, err));
	*out = key;
	return OK;
}

/* RSA cannot agree on keys, EC cannot encipher them, Ed25519 and ML-DSA can only sign (RFC 8410 5,
 * RFC 9881 5). */
uint32_t profile_key_usage(const struct profile *p, enum key_kind kind)
{
	uint32_t agree = KU_KEY_AGREEMENT | KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY;
	uint32_t encipher = KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT;

	switch (kind) {
	case KEY_RSA:
		return p->key_usage & ~agree;
	case KEY_ED25519:
	case KEY_ML_DSA_44:
	case KEY_ML_DSA_65:
	case KEY_ML_DSA_87:
		return p->key_usage & ~(agree | encipher);
	default:
		return p->key_usage & ~encipher;
	}
}
