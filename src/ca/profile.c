/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/profile.h"

#include <stdlib.h>

#include "base/clock.h"
#include "ca/crl_make.h"
#include "ca/profile_key.h"
#include "ca/profile_san.h"
#include "ca/profile_subject.h"
#include "der/oid.h"
#include "pki/cert.h"
#include "pki/name.h"

static void free_texts(char **texts, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

static void free_attrs(struct profile *p)
{
	size_t i;

	for (i = 0; i < p->n_attrs; i++) {
		buf_clear(&p->attrs[i].type);
		if (p->attrs[i].has_pattern)
			regfree(&p->attrs[i].pattern);
		free(p->attrs[i].pattern_text);
		free(p->attrs[i].value);
	}
	free(p->attrs);
}

static void free_sans(struct profile *p)
{
	size_t i;

	for (i = 0; i < p->n_sans; i++) {
		if (p->sans[i].has_pattern)
			regfree(&p->sans[i].pattern);
		free(p->sans[i].pattern_text);
	}
	free(p->sans);
}

void profile_free(struct profile *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->n_ekus; i++)
		buf_clear(&p->ekus[i]);
	free(p->ekus);
	free_attrs(p);
	free_sans(p);
	free_texts(p->cdp, p->n_cdp);
	free_texts(p->ocsp, p->n_ocsp);
	free_texts(p->ca_issuers, p->n_ca_issuers);
	free(p->name);
	free(p);
}

void profile_result_clear(struct profile_result *r)
{
	buf_clear(&r->subject);
	buf_clear(&r->exts);
	*r = (struct profile_result){ 0 };
}

static RESULT check_asked_constraints(struct span exts, struct err *err)
{
	struct ext ext;
	bool ca;
	int path_len;

	if (ext_find(exts, OID_BASIC_CONSTRAINTS, &ext, NULL) != OK)
		return OK;
	TRY(err_prefix(err, ext_read_basic_constraints(ext.value, &ca, &path_len, err),
		       "RFC 5280 4.2.1.9: the basicConstraints asked for"));
	if (ca)
		return err_set(err, ERR_BAD_TEMPLATE,
			       "RFC 5280 4.2.1.9: the request asks for basicConstraints CA:TRUE; "
			       "no profile gives that to a device");
	return OK;
}

static RESULT check_asked_usage(struct span exts, struct err *err)
{
	struct ext ext;
	uint32_t bits = 0;

	if (ext_find(exts, OID_KEY_USAGE, &ext, NULL) != OK)
		return OK;
	TRY(err_prefix(err, ext_read_key_usage(ext.value, &bits, err),
		       "RFC 5280 4.2.1.3: the keyUsage asked for"));
	if (bits & (KU_KEY_CERT_SIGN | KU_CRL_SIGN))
		return err_set(err, ERR_BAD_TEMPLATE,
			       "RFC 5280 4.2.1.3: the request asks for keyUsage %s; no profile "
			       "gives that to a device",
			       bits & KU_KEY_CERT_SIGN ? "keyCertSign" : "cRLSign");
	return OK;
}

/*
 * Of the extensions asked for only subjectAltName counts, the rest is the profile's to say; but who
 * asks to be a CA must not believe that it became one.
 */
static RESULT check_asked_exts(struct span exts, struct err *err)
{
	TRY(ext_check(exts, err));
	TRY(check_asked_constraints(exts, err));
	return check_asked_usage(exts, err);
}

/* What was asked for counts from now, the profile's own from the backdated beginning. */
static int64_t length_of(const struct profile *p, const struct profile_request *req)
{
	int64_t asked = req->validity + p->backdate;

	return req->validity && asked < p->validity ? asked : p->validity;
}

static RESULT set_validity(const struct profile *p, const struct profile_request *req,
			   const struct profile_issuer *issuer, struct profile_result *out,
			   struct err *err)
{
	char text[CLOCK_TEXT_MAX];
	int64_t from, now = req->now;

	/* of a CA that is still to come, as if it had been asked at its beginning */
	from = (issuer->not_before > now ? issuer->not_before : now) - p->backdate;
	out->not_before = from < issuer->not_before ? issuer->not_before : from;
	out->not_after = from + length_of(p, req);
	if (out->not_after > issuer->not_after)
		out->not_after = issuer->not_after;
	if (out->not_after > now && out->not_after > out->not_before)
		return OK;
	clock_format(issuer->not_after, text);
	return err_set(err, ERR_BAD_REQUEST,
		       "no validity is left: the CA certificate ends at %s, profile \"%s\" gives "
		       "%lld seconds, of which %lld lie in the past",
		       text, p->name, (long long)p->validity, (long long)p->backdate);
}

static void put_ekus(struct buf *out, const struct profile *p)
{
	struct span oids[PROFILE_EKUS_MAX];
	size_t i;

	for (i = 0; i < p->n_ekus; i++)
		oids[i] = buf_span(&p->ekus[i]);
	if (p->n_ekus)
		ext_put_eku(out, oids, p->n_ekus, false);
}

static RESULT put_cdp(struct buf *out, const struct profile *p, unsigned generation,
		      struct err *err)
{
	CLEANUP(profile_urls_clear) struct profile_urls cdp = { 0 };

	if (!p->n_cdp || p->crl_parts)
		return OK;
	TRY(profile_urls_init(&cdp, p->cdp, p->n_cdp, generation, PROFILE_URL_LIST, err));
	ext_put_crl_distribution_points(out, cdp.urls, p->n_cdp);
	return OK;
}

static RESULT put_aia(struct buf *out, const struct profile *p, unsigned generation,
		      struct err *err)
{
	CLEANUP(profile_urls_clear) struct profile_urls ocsp = { 0 };
	CLEANUP(profile_urls_clear) struct profile_urls issuers = { 0 };

	if (!p->n_ocsp && !p->n_ca_issuers)
		return OK;
	TRY(profile_urls_init(&ocsp, p->ocsp, p->n_ocsp, generation, PROFILE_URL_PLAIN, err));
	TRY(profile_urls_init(&issuers, p->ca_issuers, p->n_ca_issuers, generation,
			      PROFILE_URL_ISSUER, err));
	ext_put_authority_info_access(out, ocsp.urls, p->n_ocsp, issuers.urls, p->n_ca_issuers);
	return OK;
}

/* basicConstraints is always there, with CA:FALSE: some old verifiers take its absence for a CA. */
static RESULT put_exts(struct buf *out, const struct profile *p, enum key_kind kind,
		       struct span ski, const struct profile_issuer *issuer, struct err *err)
{
	uint32_t usage = profile_key_usage(p, kind);

	ext_put_basic_constraints(out, false, -1);
	if (usage)
		ext_put_key_usage(out, usage);
	put_ekus(out, p);
	ext_put_ski(out, ski);
	ext_put_aki(out, issuer->ski);
	TRY(put_cdp(out, p, issuer->generation, err));
	return put_aia(out, p, issuer->generation, err);
}

/* subjectAltName last; critical where the subject is empty (RFC 5280 4.2.1.6). */
static RESULT put_san(const struct profile *p, struct span asked, struct profile_result *out,
		      struct err *err)
{
	bool nameless = name_is_empty(buf_span(&out->subject));
	BUF san = BUF_INIT;

	TRY(profile_san(p, asked, buf_span(&out->subject), &san, err));
	if (san.len)
		ext_put_san(&out->exts, buf_span(&san), nameless);
	else if (nameless)
		return err_set(err, ERR_BAD_TEMPLATE,
			       "RFC 5280 4.1.2.6: neither a subject nor a subjectAltName is left "
			       "by profile \"%s\"",
			       p->name);
	return buf_check(&out->exts, err);
}

static RESULT apply(const struct profile *p, struct crypto *c, const struct profile_request *req,
		    const struct profile_issuer *issuer, struct profile_result *out,
		    struct err *err)
{
	struct pubkey_info key;
	uint8_t ski[20];

	TRY(profile_key(p, req->spki, &key, err));
	TRY(check_asked_exts(req->exts, err));
	TRY(profile_subject(p, req->subject, &out->subject, err));
	TRY(set_validity(p, req, issuer, out, err));
	TRY(cert_key_id(c, req->spki, ski, err));
	TRY(put_exts(&out->exts, p, key.kind, SPAN_ARRAY(ski), issuer, err));
	return put_san(p, req->exts, out, err);
}

enum result profile_apply(const struct profile *p, struct crypto *c,
			  const struct profile_request *req, const struct profile_issuer *issuer,
			  struct profile_result *out, struct err *err)
{
	struct profile_result got = { 0 };
	enum result r;

	if (p->n_ekus > PROFILE_EKUS_MAX)
		return err_set(err, ERR_CONFIG, "profile \"%s\": more than %d EKUs", p->name,
			       PROFILE_EKUS_MAX);
	r = apply(p, c, req, issuer, &got, err);
	if (r != OK) {
		profile_result_clear(&got);
		return r;
	}
	*out = got;
	return OK;
}

enum result profile_put_part(const struct profile *p, struct span serial, unsigned generation,
			     struct buf *exts, struct err *err)
{
	unsigned part = crl_plan_part(serial, p->crl_parts);
	const char *url;
	BUF text = BUF_INIT;

	if (!p->crl_parts || !p->n_cdp)
		return OK;
	TRY(profile_url_put(p->cdp[0], generation, part, &text, err));
	url = (const char *)text.data;
	ext_put_crl_distribution_points(exts, &url, 1);
	return buf_check(exts, err);
}
