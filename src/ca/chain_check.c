/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/chain_check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "der/oid.h"
#include "pki/name.h"
#include "pki/pem.h"

void chain_check_clear(struct chain_check *k)
{
	size_t i;

	for (i = 0; k->ders && i < CHAIN_CHECK_MAX; i++)
		buf_clear(&k->ders[i]);
	free(k->ders);
	*k = (struct chain_check){ 0 };
}

/* ---- reading ---- */

static RESULT add(struct chain_check *k, struct span der, struct err *err)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		if (span_eq(buf_span(&k->ders[i]), der))
			return OK;
	if (k->n == CHAIN_CHECK_MAX)
		return err_set(err, ERR_LIMIT, "a chain of more than %d certificates",
			       CHAIN_CHECK_MAX);
	buf_put(&k->ders[k->n], der);
	TRY(buf_check(&k->ders[k->n], err));
	TRY(cert_parse(buf_span(&k->ders[k->n]), &k->certs[k->n], err));
	k->n++;
	return OK;
}

static RESULT read_pem(struct chain_check *k, struct span text, struct err *err)
{
	for (;;) {
		BUF der = BUF_INIT;
		enum result r = pem_next(&text, "CERTIFICATE", &der, err);

		if (r == ERR_NOT_FOUND)
			return k->n ? OK : err_set(err, ERR_SYNTAX, "no certificate in PEM");
		TRY(r);
		TRY(add(k, buf_span(&der), err));
	}
}

static RESULT read_der(struct chain_check *k, struct span bytes, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;

	der_reader_init(&r, bytes);
	while (!der_at_end(&r)) {
		TRY(der_read(&r, DER_SEQUENCE, "Certificate", &tlv, err));
		TRY(add(k, tlv.whole, err));
	}
	return k->n ? OK : err_set(err, ERR_SYNTAX, "no certificate");
}

enum result chain_check_read(struct chain_check *k, struct span bytes, struct err *err)
{
	k->ders = calloc(CHAIN_CHECK_MAX, sizeof(*k->ders));
	if (!k->ders)
		return err_nomem(err);
	return bytes.len && bytes.p[0] == DER_SEQUENCE ? read_der(k, bytes, err)
						       : read_pem(k, bytes, err);
}

/* ---- one certificate of the chain ---- */

static RESULT wrong(const struct cert *cert, struct err *err, const char *what)
{
	BUF name = BUF_INIT;

	TRY(name_put_text(&name, cert->subject, err));
	return err_set(err, ERR_BAD_TEMPLATE, "certificate of \"%.200s\": %s",
		       name.len ? buf_cstr(&name) : "", what);
}

static RESULT check_time(const struct cert *cert, int64_t now, struct err *err)
{
	char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX], what[128];

	if (now <= cert->not_after && cert->not_before < cert->not_after)
		return OK;
	clock_format(cert->not_before, from);
	clock_format(cert->not_after, to);
	(void)snprintf(what, sizeof(what), "RFC 5280 4.1.2.5: valid from %s to %s, which is over",
		       from, to);
	return wrong(cert, err, what);
}

/* below: how many CAs of the chain are under it that are not self-issued. */
static RESULT check_ca(const struct cert *cert, int below, struct err *err)
{
	struct ext ext = { 0 };
	bool ca = false;
	int path_len = -1;
	uint32_t usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN;

	TRY(ext_check(cert->exts, err));
	if (ext_find(cert->exts, OID_BASIC_CONSTRAINTS, &ext, NULL) == OK)
		TRY(ext_read_basic_constraints(ext.value, &ca, &path_len, err));
	if (!ca)
		return wrong(cert, err, "RFC 5280 4.2.1.9: basicConstraints do not say CA:TRUE");
	if (path_len >= 0 && path_len < below)
		return wrong(cert, err,
			     "RFC 5280 4.2.1.9: its pathLenConstraint allows fewer CAs below it "
			     "than there are");
	if (ext_find(cert->exts, OID_KEY_USAGE, &ext, NULL) == OK)
		TRY(ext_read_key_usage(ext.value, &usage, err));
	if (!(usage & KU_KEY_CERT_SIGN))
		return wrong(cert, err, "RFC 5280 4.2.1.3: its keyUsage lacks keyCertSign");
	/* the lowest publishes lists; those above may have others do it */
	if (below == 0 && !(usage & KU_CRL_SIGN))
		return wrong(cert, err, "RFC 5280 4.2.1.3: its keyUsage lacks cRLSign");
	return OK;
}

/* ---- the order ---- */

static RESULT find_own(const struct chain_check *k, struct span spki, size_t *out, struct err *err)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		if (span_eq(k->certs[i].spki, spki)) {
			*out = i;
			return OK;
		}
	return err_set(err, ERR_BAD_TEMPLATE,
		       "none of the %zu certificates is for the CA's key: was another request "
		       "signed?",
		       k->n);
}

/* *found false: the chain ends here. */
static RESULT find_above(const struct chain_check *k, struct crypto *c, const struct cert *cert,
			 size_t *out, bool *found, struct err *err)
{
	bool named = false;
	size_t i;

	*found = false;
	for (i = 0; i < k->n && !*found; i++) {
		if (&k->certs[i] == cert || !name_equal(cert->issuer, k->certs[i].subject))
			continue;
		named = true;
		*found = cert_verify_signature(cert, c, k->certs[i].spki, NULL) == OK;
		*out = i;
	}
	if (named && !*found)
		return wrong(cert, err,
			     "RFC 5280 6.1.3: not signed by the key of the certificate that bears "
			     "its issuer's name");
	return OK;
}

static bool is_root(struct crypto *c, const struct cert *cert)
{
	return cert_is_self_issued(cert) && cert_verify_signature(cert, c, cert->spki, NULL) == OK;
}

static RESULT climb(struct chain_check *k, struct crypto *c, int64_t now, struct err *err)
{
	const struct cert *at = &k->certs[k->order[0]];
	int below = 0;
	bool found;

	for (;;) {
		TRY(check_time(at, now, err));
		TRY(check_ca(at, below, err));
		below += !cert_is_self_issued(at);
		if (is_root(c, at))
			return OK;
		TRY(find_above(k, c, at, &k->order[k->length], &found, err));
		if (!found)
			return OK;
		if (k->length + 1 == CHAIN_CHECK_MAX)
			return wrong(at, err, "the chain leads in a circle");
		at = &k->certs[k->order[k->length++]];
	}
}

enum result chain_check_order(struct chain_check *k, struct crypto *c, struct span spki,
			      int64_t now, struct err *err)
{
	TRY(find_own(k, spki, &k->order[0], err));
	k->length = 1;
	TRY(climb(k, c, now, err));
	if (k->length < 2)
		return wrong(
		    &k->certs[k->order[0]], err,
		    "RFC 5280 6.1.3: the certificate of its issuer is not in the chain, so "
		    "that its signature cannot be verified");
	if (k->length < k->n)
		return err_set(err, ERR_BAD_TEMPLATE,
			       "%zu of the %zu certificates belong to no chain from the CA "
			       "upwards; leave them out",
			       k->n - k->length, k->n);
	return OK;
}
