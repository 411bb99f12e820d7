/* SPDX-License-Identifier: Apache-2.0 */
/* GetCert and GetCRL (RFC 8894 3.3.4, 3.3.5): what this CA has issued, by issuer and serial number.
 */
#include "der/reader.h"
#include "pki/name.h"
#include "scep/exchange.h"
#include "store/revocation.h"

/* What a reply may hold that is encrypted and signed as one; more of it is fetched over HTTP. */
#define CRL_MAX ((size_t)4 << 20)

static RESULT read_asked(struct scep_exchange *x, struct span *issuer, struct span *serial,
			 struct err *err)
{
	struct der_tlv name;
	struct der_reader r;

	TRY(der_read_whole(buf_span(&x->plain), DER_SEQUENCE, "IssuerAndSerialNumber", &r, err));
	TRY(der_read(&r, DER_SEQUENCE, "IssuerAndSerialNumber.issuer", &name, err));
	TRY(der_read_integer(&r, "IssuerAndSerialNumber.serialNumber", serial, err));
	TRY(der_end(&r, "IssuerAndSerialNumber", err));
	TRY(name_check(name.whole, err));
	*issuer = name.whole;
	return OK;
}

static RESULT open_asked(struct scep_exchange *x, struct span *serial, struct err *err)
{
	struct err detail = { 0 };
	struct span issuer = SPAN_NONE;
	BUF name = BUF_INIT;

	TRY(scep_open_envelope(x, err));
	if (read_asked(x, &issuer, serial, &detail) != OK)
		return scep_does_not_open(x, "request", &detail, err);
	TRY(scep_certrep_possible(x, err));
	if (name_equal_unordered(issuer, x->ca->ca.cert.subject))
		return OK;
	TRY(name_put_text(&name, issuer, err));
	return err_set(err, ERR_BAD_CERT_ID,
		       "RFC 8894 %s: %s asks for what \"%.200s\" has issued; this is CA \"%s\"",
		       x->request.message_type == SCEP_GET_CRL ? "3.3.5" : "3.3.4",
		       scep_message_type_name(x->request.message_type),
		       name.len ? buf_cstr(&name) : "", x->ca->name);
}

enum result scep_get_cert(struct scep_exchange *x, struct enrol_outcome *out, struct err *err)
{
	CLEANUP(store_cert_clear) struct store_cert found = { 0 };
	struct span serial = SPAN_NONE;
	enum result r;

	TRY(open_asked(x, &serial, err));
	r = store_find_cert(x->service->enrol->store, x->ca->name, serial, &found, err);
	if (r != OK)
		return r == ERR_NOT_FOUND ? err_prefix(err, ERR_BAD_CERT_ID, "RFC 8894 3.3.4") : r;
	out->status = ENROL_ISSUED;
	out->cert = buf_take(&found.der);
	return OK;
}

/* The list that tells of this certificate: of the generation that issued it, if one did. */
static RESULT find_generation(const struct scep_exchange *x, struct span serial,
			      unsigned *generation, struct err *err)
{
	struct store_status status = { 0 };
	enum result r =
	    store_find_status(x->service->enrol->store, x->ca->name, serial, &status, err);

	*generation = r == OK ? status.generation : x->ca->generation;
	return r == ERR_NOT_FOUND ? OK : r;
}

enum result scep_get_crl(struct scep_exchange *x, struct enrol_outcome *out, struct err *err)
{
	struct span serial = SPAN_NONE;
	unsigned generation = 0;

	TRY(open_asked(x, &serial, err));
	TRY(find_generation(x, serial, &generation, err));
	if (x->service->crls)
		x->crl = crl_publisher_get(x->service->crls, x->ca->name, generation,
					   SPAN_LIT("full.crl"));
	if (!x->crl)
		return err_set(err, ERR_BAD_CERT_ID,
			       "RFC 8894 3.3.5: CA \"%s\" publishes no revocation list",
			       x->ca->name);
	if (x->crl->der.len > CRL_MAX)
		return err_set(
		    err, ERR_BAD_REQUEST,
		    "RFC 8894 3.3.5: the revocation list of CA \"%s\" has %zu octets, too "
		    "many for SCEP: fetch it over HTTP",
		    x->ca->name, x->crl->der.len);
	out->status = ENROL_ISSUED;
	return OK;
}
