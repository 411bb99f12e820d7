/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/staple.h"

#include "der/oid.h"
#include "pki/name.h"

#define SHA1_OCTETS 20
#define CLOCKS_DIFFER 300 /* seconds by which a responder's clock may be ahead */
#define WITHOUT_NEXT 3600 /* seconds that a response without nextUpdate is given out */

/* CertID by SHA-1, which every responder and client knows (RFC 5019 2.1.1). */
struct subject {
	uint8_t name_hash[DIGEST_MAX];
	uint8_t key_hash[DIGEST_MAX];
	struct buf whole; /* owned */
	struct ocsp_request request;
};

static void subject_clear(struct subject *s)
{
	buf_clear(&s->whole);
}

static RESULT subject_init(struct subject *s, struct crypto *c, const struct cert *cert,
			   const struct cert *issuer, struct err *err)
{
	struct ocsp_cert_id *id = &s->request.certs[0];
	struct pubkey_info key;

	TRY(pubkey_inspect(issuer->spki, &key, err));
	TRY(crypto_digest(c, DIGEST_SHA1, &cert->issuer, 1, s->name_hash, err));
	TRY(crypto_digest(c, DIGEST_SHA1, &key.key, 1, s->key_hash, err));
	*id = (struct ocsp_cert_id){ .hash = DIGEST_SHA1,
				     .name_hash = span_of(s->name_hash, SHA1_OCTETS),
				     .key_hash = span_of(s->key_hash, SHA1_OCTETS),
				     .serial = cert->serial };
	ocsp_request_put_cert_id(&s->whole, id);
	id->whole = buf_span(&s->whole);
	s->request.n = 1;
	return buf_check(&s->whole, err);
}

/* ---- of a CA of this server ---- */

enum result ocsp_staple_make(const struct ocsp_source *s, struct crypto *c,
			     const struct authority_ca *issuer, const struct cert *cert,
			     struct ocsp_said *said, struct buf *out, struct err *err)
{
	CLEANUP(subject_clear) struct subject subject = { .whole = BUF_INIT };
	struct ocsp_said got = { .state = OCSP_UNKNOWN };
	BUF response = BUF_INIT;

	TRY(subject_init(&subject, c, cert, &issuer->ca.cert, err));
	TRY(ocsp_answer(s, c, issuer, &subject.request, &got, &response, err));
	if (got.state == OCSP_UNKNOWN || got.unissued)
		return err_set(err, ERR_NOT_FOUND,
			       "CA \"%s\" has no record of the certificate, though it has its name "
			       "as issuer",
			       issuer->name);
	buf_put(out, buf_span(&response));
	TRY(buf_check(out, err));
	*said = got;
	return OK;
}

/* ---- of others ---- */

enum result ocsp_staple_request(const struct ocsp_foreign *f, struct crypto *c, struct buf *out,
				struct err *err)
{
	CLEANUP(subject_clear) struct subject subject = { .whole = BUF_INIT };

	TRY(subject_init(&subject, c, f->cert, f->issuer, err));
	return ocsp_request_build(&subject.request, out, err);
}

static RESULT find_single(const struct ocsp_response *r, const struct subject *subject,
			  const struct ocsp_single **out, struct err *err)
{
	const struct ocsp_cert_id *want = &subject->request.certs[0];
	struct ocsp_cert_id got;
	size_t i;

	for (i = 0; i < r->data.n; i++) {
		TRY(ocsp_request_parse_cert_id(r->data.singles[i].cert_id, &got, err));
		if (got.hash == want->hash && span_eq(got.name_hash, want->name_hash) &&
		    span_eq(got.key_hash, want->key_hash) && span_eq(got.serial, want->serial)) {
			*out = &r->data.singles[i];
			return OK;
		}
	}
	return err_set(err, ERR_BAD_CHECK,
		       "RFC 6960 3.2: the response is not about the certificate asked for");
}

static RESULT check_times(const struct ocsp_single *single, int64_t now, struct err *err)
{
	char text[CLOCK_TEXT_MAX];

	if (single->this_update > now + CLOCKS_DIFFER) {
		clock_format(single->this_update, text);
		return err_set(err, ERR_BAD_TIME, "RFC 6960 3.2: thisUpdate %s is yet to come",
			       text);
	}
	if (single->next_update && single->next_update <= now) {
		clock_format(single->next_update, text);
		return err_set(err, ERR_BAD_TIME, "RFC 6960 3.2: nextUpdate %s is over", text);
	}
	return OK;
}

/* RFC 6960 4.2.2.2: a certificate by the issuer itself, for this purpose. */
static RESULT check_delegate(const struct ocsp_foreign *f, struct crypto *c,
			     const struct cert *delegate, int64_t now, struct err *err)
{
	if (!name_equal(delegate->issuer, f->issuer->subject) ||
	    !ext_has_eku(delegate->exts, OID_OCSP_SIGNING) || now < delegate->not_before ||
	    now >= delegate->not_after)
		return err_set(err, ERR_DENIED,
			       "RFC 6960 4.2.2.2: who signed the response is neither the "
			       "certificate's issuer nor delegated by it");
	return err_prefix(err, cert_verify_signature(delegate, c, f->issuer->spki, err),
			  "RFC 6960 4.2.2.2: the responder's certificate");
}

static RESULT check_signature(const struct ocsp_foreign *f, struct crypto *c,
			      const struct ocsp_response *r, int64_t now, struct err *err)
{
	CLEANUP(pubkey_freep) struct pubkey *key = NULL;
	struct span spki = f->issuer->spki;
	struct cert delegate;

	if (r->cert.len) {
		TRY(cert_parse(r->cert, &delegate, err));
		spki = delegate.spki;
		if (!span_eq(delegate.spki, f->issuer->spki))
			TRY(check_delegate(f, c, &delegate, now, err));
	}
	TRY(pubkey_new(&key, c, spki, err));
	return err_prefix(err, pubkey_verify(key, c, r->sig_alg, r->tbs, r->signature, err),
			  "OCSP response");
}

static RESULT check_status(const struct ocsp_response *r, struct err *err)
{
	static const char *const names[] = { [OCSP_MALFORMED_REQUEST] = "malformedRequest",
					     [OCSP_INTERNAL_ERROR] = "internalError",
					     [OCSP_TRY_LATER] = "tryLater",
					     [OCSP_SIG_REQUIRED] = "sigRequired",
					     [OCSP_UNAUTHORIZED] = "unauthorized" };

	if (r->status == OCSP_SUCCESSFUL)
		return OK;
	return err_set(err, ERR_DENIED, "the responder says %s", names[r->status]);
}

enum result ocsp_staple_check(const struct ocsp_foreign *f, struct crypto *c, struct span response,
			      int64_t now, struct ocsp_said *said, struct err *err)
{
	CLEANUP(subject_clear) struct subject subject = { .whole = BUF_INIT };
	const struct ocsp_single *single = NULL;
	struct ocsp_response r;
	int64_t next;

	TRY(ocsp_response_parse(response, &r, err));
	TRY(check_status(&r, err));
	TRY(subject_init(&subject, c, f->cert, f->issuer, err));
	TRY(find_single(&r, &subject, &single, err));
	TRY(check_times(single, now, err));
	TRY(check_signature(f, c, &r, now, err));
	if (single->state == OCSP_UNKNOWN)
		return err_set(err, ERR_NOT_FOUND, "the responder does not know the certificate");
	next = single->next_update ? single->next_update : now + WITHOUT_NEXT;
	*said = (struct ocsp_said){ .state = single->state,
				    .revoked = single->revoked,
				    .reason = single->reason,
				    .this_update = single->this_update,
				    .next_update = next,
				    .until = now + (next - now) / 2 };
	return OK;
}
