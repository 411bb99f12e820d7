/* SPDX-License-Identifier: Apache-2.0 */
/* getCert and getCRL (RFC 5272 6.9, 6.10), for whoever has a certificate of this CA. */
#include "est/full_cmc.h"
#include "pki/name.h"

/* A reply is encoded and signed as one; more of it is fetched over HTTP. */
#define CRL_MAX ((size_t)4 << 20)

static RESULT check_issuer(const struct full_cmc *m, const char *clause, struct span issuer,
			   struct err *err)
{
	BUF name = BUF_INIT;

	if (name_equal_unordered(issuer, m->x->ca->ca.cert.subject))
		return OK;
	TRY(name_put_text(&name, issuer, err));
	return err_set(err, ERR_BAD_CERT_ID,
		       "RFC 5272 %s: asked is for what \"%.200s\" has issued; this is CA \"%s\"",
		       clause, name.len ? buf_cstr(&name) : "", m->x->ca->name);
}

enum result full_cmc_get_cert(struct full_cmc *m, const struct cmc_control *asked,
			      struct http_reply *reply, struct err *err)
{
	CLEANUP(store_cert_clear) struct store_cert found = { 0 };
	struct est_exchange *x = m->x;
	struct cmc_get_cert get;
	enum result r;

	TRY(cmc_get_cert_read(asked, &get, err));
	TRY(full_cmc_check_signature(m, err));
	TRY(full_cmc_check_standing(m, err));
	TRY(check_issuer(m, "6.9", get.issuer, err));
	r = store_find_cert(x->service->enrol->store, x->ca->name, get.serial, &found, err);
	if (r != OK)
		return r == ERR_NOT_FOUND ? err_prefix(err, ERR_BAD_CERT_ID, "RFC 5272 6.9") : r;
	full_cmc_reply_cert(m, buf_span(&found.der), reply);
	return OK;
}

/* Of parts of a list, by their distribution point or their reasons, the complete one is the sum. */
static RESULT find_list(const struct full_cmc *m, const struct cmc_get_crl *get,
			struct crl_file **out, struct err *err)
{
	CLEANUP(crl_file_unrefp) struct crl_file *crl = NULL;
	struct est_exchange *x = m->x;
	char text[CLOCK_TEXT_MAX];

	if (x->service->crls)
		crl = crl_publisher_get(x->service->crls, x->ca->name, x->ca->generation,
					SPAN_LIT("full.crl"));
	if (!crl)
		return err_set(err, ERR_BAD_CERT_ID,
			       "RFC 5272 6.10: CA \"%s\" publishes no revocation list",
			       x->ca->name);
	if (crl->der.len > CRL_MAX)
		return err_set(
		    err, ERR_BAD_REQUEST,
		    "RFC 5272 6.10: the revocation list of CA \"%s\" has %zu octets, too "
		    "many for CMC: fetch it over HTTP",
		    x->ca->name, crl->der.len);
	clock_format(crl->record.this_update, text);
	if (get->has_time && get->time < crl->record.this_update)
		return err_set(err, ERR_BAD_CERT_ID,
			       "RFC 5272 6.10: lists from before the latest, of %s, are not kept",
			       text);
	*out = take(crl);
	return OK;
}

enum result full_cmc_get_crl(struct full_cmc *m, const struct cmc_control *asked,
			     struct http_reply *reply, struct err *err)
{
	CLEANUP(crl_file_unrefp) struct crl_file *crl = NULL;
	struct cmc_get_crl get;

	TRY(cmc_get_crl_read(asked, &get, err));
	TRY(full_cmc_check_signature(m, err));
	TRY(full_cmc_check_standing(m, err));
	TRY(check_issuer(m, "6.10", get.issuer, err));
	TRY(find_list(m, &get, &crl, err));
	full_cmc_reply_crl(m, crl->der, reply);
	return OK;
}
