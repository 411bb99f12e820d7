/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/standing.h"

#include "pki/crl.h"
#include "store/key_block.h"

enum result ca_standing_check_issued(struct store *store, const struct authority_ca *ca,
				     const struct cert *cert, struct err *err)
{
	CLEANUP(store_cert_clear) struct store_cert record = { 0 };
	enum result r = store_find_cert(store, ca->name, cert->serial, &record, err);

	if (r != OK && r != ERR_NOT_FOUND)
		return r;
	if (r == OK && span_eq(buf_span(&record.der), cert->der))
		return OK;
	return err_set(err, ERR_BAD_CERT_ID, "CA \"%s\" has not issued the certificate shown",
		       ca->name);
}

enum result ca_standing_check_key(struct store *store, struct crypto *c, const struct cert *cert,
				  struct err *err)
{
	uint8_t hash[STORE_HASH];
	struct err why = { 0 };
	enum result r;

	TRY(pubkey_hash(c, cert->spki, hash, err));
	r = store_check_key(store, hash, "the key of the certificate shown", &why);
	if (r == OK)
		return OK;
	return err_set(err, r == ERR_KEY_BLOCKED ? ERR_DENIED : r, "%s", err_text(&why));
}

enum result ca_standing_check(const struct ca_standing *s, const struct authority_ca *ca,
			      const struct cert *cert, struct err *err)
{
	struct store_status status = { 0 };
	char from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];

	TRY(ca_standing_check_issued(s->store, ca, cert, err));
	TRY(store_find_status(s->store, ca->name, cert->serial, &status, err));
	if (status.revoked)
		return err_set(err, ERR_DENIED, "the certificate shown is revoked (%s)",
			       crl_reason_name(status.reason));
	TRY(ca_standing_check_key(s->store, s->c, cert, err));
	if (s->now >= cert->not_before && s->now <= cert->not_after)
		return OK;
	clock_format(cert->not_before, from);
	clock_format(cert->not_after, until);
	return err_set(err, ERR_DENIED, "the certificate shown is valid from %s until %s", from,
		       until);
}
