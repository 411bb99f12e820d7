/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/operator_cert.h"

#include "base/clock.h"
#include "base/hex.h"
#include "pki/name.h"

void operator_cert_clear(struct operator_cert *c)
{
	buf_clear(&c->subject);
	buf_clear(&c->issuer);
	*c = (struct operator_cert){ 0 };
}

static RESULT parse_fingerprint(const char *text, struct operator_cert *out, struct err *err)
{
	BUF bytes = BUF_INIT;

	if (hex_parse(span_str(text), &bytes, NULL) != OK || bytes.len != sizeof(out->sha256))
		return err_set(err, ERR_CONFIG,
			       "\"%.80s\" is no SHA-256 of a certificate: 64 hexadecimal digits, "
			       "as \"openssl x509 -fingerprint -sha256\" shows them",
			       text);
	memcpy(out->sha256, bytes.data, sizeof(out->sha256));
	out->by_fingerprint = true;
	return OK;
}

static RESULT parse_name(const char *what, const char *text, struct buf *out, struct err *err)
{
	enum result r = name_parse_text(text, out, err);

	return r == OK || r == ERR_NOMEM ? r : err_prefix(err, ERR_CONFIG, "%s", what);
}

enum result operator_cert_parse(const char *sha256, const char *subject, const char *issuer,
				struct operator_cert *out, struct err *err)
{
	CLEANUP(operator_cert_clear) struct operator_cert c = { 0 };

	if (sha256 ? subject || issuer : !subject || !issuer)
		return err_set(
		    err, ERR_CONFIG,
		    "give sha256, or subject and issuer, to say whose certificate it is");
	if (sha256)
		TRY(parse_fingerprint(sha256, &c, err));
	if (subject)
		TRY(parse_name("subject", subject, &c.subject, err));
	if (issuer)
		TRY(parse_name("issuer", issuer, &c.issuer, err));
	*out = c;
	c = (struct operator_cert){ 0 };
	return OK;
}

enum result operator_cert_look(struct operator_cert_seen *out, struct crypto *c, struct span der,
			       struct err *err)
{
	enum result r = cert_parse(der, &out->cert, err);

	if (r != OK)
		return r == ERR_NOMEM ? r : err_prefix(err, ERR_NOT_FOUND, "client certificate");
	return cert_fingerprint(c, der, DIGEST_SHA256, out->sha256, err);
}

bool operator_cert_is(const struct operator_cert *c, const struct operator_cert_seen *seen)
{
	if (c->by_fingerprint)
		return memcmp(c->sha256, seen->sha256, sizeof(c->sha256)) == 0;
	return c->subject.len && name_equal(buf_span(&c->subject), seen->cert.subject) &&
	       name_equal(buf_span(&c->issuer), seen->cert.issuer);
}

enum result operator_cert_check(const struct operator_cert *c,
				const struct operator_cert_seen *seen, int64_t now, struct err *err)
{
	char from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];

	if (!c->by_fingerprint && !seen->verified)
		return err_set(err, ERR_DENIED,
			       "the client certificate has an operator's name, but leads to no CA "
			       "that this listener trusts (client_ca), or its time is over");
	if (now >= seen->cert.not_before && now <= seen->cert.not_after)
		return OK;
	clock_format(seen->cert.not_before, from);
	clock_format(seen->cert.not_after, until);
	return err_set(err, ERR_DENIED, "the client certificate is valid from %s to %s only", from,
		       until);
}
