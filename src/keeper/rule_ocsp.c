/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/rule_ocsp.h"

#include "der/reader.h"

/* No TBSCertificate, TBSCertList or signed attributes begin with a ResponderID and a time. */
enum result rule_ocsp_check(struct span message, struct err *err)
{
	struct der_reader r, responses, single;
	struct der_tlv tlv;
	int64_t at;

	TRY(der_read_whole(message, DER_SEQUENCE, "ResponseData", &r, err));
	if (!der_peek(&r, DER_CONTEXT_CONS(1)) && !der_peek(&r, DER_CONTEXT_CONS(2)))
		return err_set(err, ERR_DENIED,
			       "key rule: no responderID (RFC 6960 4.2.1) where it must be");
	TRY(der_read_any(&r, "responderID", &tlv, err));
	if (!der_peek(&r, DER_GENERALIZED_TIME))
		return err_set(err, ERR_DENIED, "key rule: ResponseData without producedAt");
	TRY(der_read_time(&r, "producedAt", &at, err));
	TRY(der_enter(&r, DER_SEQUENCE, "responses", &responses, err));
	while (!der_at_end(&responses)) {
		TRY(der_enter(&responses, DER_SEQUENCE, "SingleResponse", &single, err));
		TRY(der_read(&single, DER_SEQUENCE, "CertID", &tlv, err));
	}
	if (der_peek(&r, DER_CONTEXT_CONS(1)))
		TRY(der_read_any(&r, "responseExtensions", &tlv, err));
	return der_end(&r, "ResponseData", err);
}
