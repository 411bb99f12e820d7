/* SPDX-License-Identifier: Apache-2.0 */
/* What a foreign responder says of our TLS certificate: taken, or refused as a client would. */
#include "unit.h"

#include "ocsp/staple.h"
#include "pki/pem.h"

#define NOW 1795293840 /* 2026-11-21T20:44:00Z, as in vectors/make_staple.py */
#define HOUR 3600

struct scene {
	struct crypto *c;
	struct buf ca_der, cert_der;
	struct cert ca, cert;
	struct ocsp_foreign foreign;
};

static int set_scene(void **state)
{
	static struct scene s;

	assert_int_equal(crypto_new(&s.c, false, NULL), OK);
	s.ca_der = unit_vector("staple_ca.der");
	s.cert_der = unit_vector("staple_cert.der");
	assert_int_equal(cert_parse(buf_span(&s.ca_der), &s.ca, NULL), OK);
	assert_int_equal(cert_parse(buf_span(&s.cert_der), &s.cert, NULL), OK);
	s.foreign = (struct ocsp_foreign){ &s.cert, &s.ca };
	*state = &s;
	return 0;
}

static int strike_scene(void **state)
{
	struct scene *s = *state;

	crypto_free(s->c);
	buf_clear(&s->ca_der);
	buf_clear(&s->cert_der);
	return 0;
}

static void the_url_of_the_responder(void **state)
{
	struct scene *s = *state;

	/* by http: over TLS it would have to be asked whether its own certificate is revoked */
	assert_span_equal(ext_ocsp_url(s->cert.exts), SPAN_LIT("http://ocsp.example/a"));
	assert_int_equal(ext_ocsp_url(s->ca.exts).len, 0);
	assert_int_equal(ext_ocsp_url(SPAN_LIT("\x30\xff")).len, 0);
}

static void a_request(void **state)
{
	struct scene *s = *state;
	struct ocsp_request request;
	BUF der = BUF_INIT;

	assert_int_equal(ocsp_staple_request(&s->foreign, s->c, &der, NULL), OK);
	assert_int_equal(ocsp_request_parse(buf_span(&der), &request, NULL), OK);
	assert_int_equal(request.n, 1);
	assert_int_equal(request.certs[0].hash, DIGEST_SHA1);
	assert_span_equal(request.certs[0].serial, s->cert.serial);
	assert_int_equal(request.nonce.len, 0);
}

static void responses(void **state)
{
	static const struct {
		const char *file;
		enum result result;
		const char *says;
		enum ocsp_cert_state state;
		int64_t lasts;
	} row[] = {
		{ "good", OK, NULL, OCSP_GOOD, HOUR },
		{ "delegated", OK, NULL, OCSP_GOOD, HOUR },
		{ "revoked", OK, NULL, OCSP_REVOKED, HOUR },
		{ "no_next", OK, NULL, OCSP_GOOD, HOUR },
		{ "unknown", ERR_NOT_FOUND, "does not know", 0, 0 },
		{ "other_cert", ERR_BAD_CHECK, "not about the certificate", 0, 0 },
		{ "other_ca", ERR_BAD_CHECK, "not about the certificate", 0, 0 },
		{ "other_hash", ERR_BAD_CHECK, "not about the certificate", 0, 0 },
		{ "forged", ERR_BAD_CHECK, "OCSP response", 0, 0 },
		{ "early", ERR_BAD_TIME, "yet to come", 0, 0 },
		{ "late", ERR_BAD_TIME, "nextUpdate 2026-11-21T20:44:00Z is over", 0, 0 },
		{ "no_purpose", ERR_DENIED, "nor delegated", 0, 0 },
		{ "delegate_over", ERR_DENIED, "nor delegated", 0, 0 },
		{ "delegate_foreign", ERR_BAD_CHECK, "responder's certificate", 0, 0 },
		{ "try_later", ERR_DENIED, "tryLater", 0, 0 },
		{ "cert", ERR_SYNTAX, "responseStatus", 0, 0 },
	};
	struct scene *s = *state;
	char name[64];
	size_t i;

	for (i = 0; i < ARRAY_LEN(row); i++) {
		struct ocsp_said said = { .state = OCSP_UNKNOWN };
		struct err err = { 0 };
		enum result r;
		BUF der = BUF_INIT;

		(void)snprintf(name, sizeof(name), "staple_%s.der", row[i].file);
		der = unit_vector(name);
		r = ocsp_staple_check(&s->foreign, s->c, buf_span(&der), NOW, &said, &err);
		if (r != row[i].result || (row[i].says && !strstr(err.text, row[i].says)))
			fail_msg("%s: %s %s", row[i].file, err_name(r), err.text);
		assert_int_equal(said.state, r == OK ? row[i].state : OCSP_UNKNOWN);
		assert_int_equal(said.next_update, r == OK ? NOW + row[i].lasts : 0);
		assert_int_equal(said.until, r == OK ? NOW + row[i].lasts / 2 : 0);
	}
}

/* Whatever the bytes: no crash, and nothing that was changed is good. */
static void broken_responses(void **state)
{
	struct scene *s = *state;
	struct ocsp_said said;
	BUF der = unit_vector("staple_delegated.der");
	size_t i;

	for (i = 0; i < der.len; i++) {
		assert_int_not_equal(
		    ocsp_staple_check(&s->foreign, s->c, span_of(der.data, i), NOW, &said, NULL),
		    OK);
		der.data[i] ^= 0x10;
		(void)!ocsp_staple_check(&s->foreign, s->c, buf_span(&der), NOW, &said, NULL);
		der.data[i] ^= 0x10;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_url_of_the_responder),
		cmocka_unit_test(a_request),
		cmocka_unit_test(responses),
		cmocka_unit_test(broken_responses),
	};

	return cmocka_run_group_tests(tests, set_scene, strike_scene);
}
