/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/standing.h"

#include "pki/crl.h"
#include "store/revocation.h"

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

enum result ca_standing_check(struct store *store, const struct authority_ca *ca,
			      const struct cert *cert, int64_t now, struct err *err)
{
	struct store_status status = { 0 };
	char from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];

	TRY(ca_standing_check_issued(store, ca, cert, err));
	TRY(store_find_status(store, ca->name, cert->serial, &status, err));
	if (status.revoked)
		return err_set(err, ERR_DENIED, "the certificate shown is revoked (%s)",
			       crl_reason_name(status.reason));
	if (now >= cert->not_before && now <= cert->not_after)
		return OK;
	clock_format(cert->not_before, from);
	clock_format(cert->not_after, until);
	return err_set(err, ERR_DENIED, "the certificate shown is valid from %s until %s", from,
		       until);
}
