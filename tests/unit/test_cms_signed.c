/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "der/ber.h"
#include "der/oid.h"
#include "der/writer.h"
#include "pki/cms_signed.h"
#include "pki/key_evp.h"

static const char plain[] = "what only the recipient may read\n";

static int set_up(void **state)
{
	return crypto_new((struct crypto **)state, true, NULL) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	crypto_free(*state);
	return 0;
}

static enum result parse(struct span der)
{
	struct cms_signed s;

	return cms_signed_parse(der, &s, NULL);
}

/* A vector as DER, whatever it was. */
static struct buf load(const char *file)
{
	struct ber_limits limits = BER_LIMITS_DEFAULT;
	struct buf ber = unit_vector(file), der = BUF_INIT;
	bool was_der = false;

	assert_int_equal(ber_to_der(buf_span(&ber), &limits, &der, &was_der, NULL), OK);
	if (was_der)
		return ber;
	buf_clear(&ber);
	return der;
}

static enum result verify(const struct cms_signed *s, struct crypto *c, struct err *err)
{
	struct cert signer;

	TRY(cms_signed_signer(s, &signer, err));
	return cms_signed_verify(s, c, signer.spki, err);
}

/* What openssl, and python with asn1crypto, made (interop points 4, 7, 9, 10, 11). */
static void what_others_made(void **state)
{
	static const struct {
		const char *file;
		enum result want;
		const char *says;
	} rows[] = {
		{ "signed_openssl.der", OK, NULL },
		{ "signed_openssl_keyid.der", OK, NULL },
		{ "signed_openssl_sha512.der", OK, NULL },
		{ "signed_openssl_p256.der", OK, NULL },
		{ "signed_openssl_stream.der", OK, NULL },
		{ "signed_asn1crypto.der", OK, NULL },
		{ "signed_unsorted.der", OK, NULL },
		{ "signed_unsorted_der.der", OK, NULL },
		{ "signed_sha256rsa.der", OK, NULL },
		{ "signed_no_params.der", OK, NULL },
		{ "signed_sha1.der", OK, NULL },
		{ "signed_wrong_sid.der", OK, NULL },
		{ "signed_reordered_sid.der", OK, NULL },
		{ "signed_no_attrs.der", OK, NULL },
		{ "signed_no_type_attr.der", OK, NULL },
		{ "signed_wrong_sid_two_certs.der", ERR_NOT_FOUND, "sid" },
		{ "signed_wrong_digest.der", ERR_BAD_CHECK, "messageDigest" },
		{ "signed_wrong_signature.der", ERR_BAD_CHECK, "signature" },
		{ "signed_no_digest_attr.der", ERR_BAD_CHECK, "messageDigest" },
		{ "signed_wrong_type_attr.der", ERR_BAD_CHECK, "contentType" },
		{ "signed_twice_attr.der", ERR_SYNTAX, "messageDigest" },
		{ "signed_mixed_digests.der", ERR_BAD_ALG, "SHA-1" },
		{ "signed_unknown_digest.der", ERR_BAD_ALG, "sha224WithRSAEncryption" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = load(rows[i].file);
		struct err err = { 0 };
		struct cms_signed s;

		assert_int_equal(cms_signed_parse(buf_span(&der), &s, NULL), OK);
		assert_span_equal(s.content_type, OID_DATA);
		assert_true(s.has_content);
		assert_span_equal(s.content, span_str(plain));
		assert_int_equal(verify(&s, *state, &err), rows[i].want);
		if (rows[i].says)
			assert_non_null(strstr(err_text(&err), rows[i].says));
	}
}

static void content_changed(void **state)
{
	BUF der = load("signed_openssl.der");
	struct cms_signed s;

	assert_int_equal(cms_signed_parse(buf_span(&der), &s, NULL), OK);
	der.data[s.content.p - der.data] ^= 1;
	assert_int_equal(verify(&s, *state, NULL), ERR_BAD_CHECK);
	der.data[s.content.p - der.data] ^= 1;
	assert_int_equal(verify(&s, *state, NULL), OK);
	der.data[s.signature.p + 9 - der.data] ^= 1;
	assert_int_equal(verify(&s, *state, NULL), ERR_BAD_CHECK);
}

static void signed_by_another(void **state)
{
	BUF der = load("signed_openssl.der");
	BUF ca_der = unit_vector("cert_ca.der");
	struct cms_signed s;
	struct cert ca;

	assert_int_equal(cms_signed_parse(buf_span(&der), &s, NULL), OK);
	assert_int_equal(cert_parse(buf_span(&ca_der), &ca, NULL), OK);
	assert_int_not_equal(cms_signed_verify(&s, *state, ca.spki, NULL), OK);
}

static void attributes_found(void **state)
{
	BUF der = load("signed_asn1crypto.der");
	struct cms_signed s;
	struct der_tlv tlv;

	(void)state;
	assert_int_equal(cms_signed_parse(buf_span(&der), &s, NULL), OK);
	assert_int_equal(s.n_attrs, 3);
	assert_int_equal(cms_attr_find(&s, OID_SCEP_TRANSACTION_ID, "transactionID", &tlv, NULL),
			 OK);
	assert_int_equal(tlv.tag, DER_PRINTABLE_STRING);
	assert_span_equal(tlv.content, SPAN_LIT("transaction 7"));
	assert_int_equal(cms_attr_find(&s, OID_SCEP_PKI_STATUS, "pkiStatus", &tlv, NULL),
			 ERR_NOT_FOUND);
}

static void degenerate(void **state)
{
	BUF der = load("degenerate.der");
	BUF leaf = unit_vector("cert_leaf.der");
	BUF ca = unit_vector("cert_ca.der");
	const struct span certs[] = { buf_span(&leaf), buf_span(&ca) };
	BUF built = BUF_INIT;
	struct cert cert;
	struct cms_signed s;

	assert_int_equal(cms_signed_parse(buf_span(&der), &s, NULL), OK);
	assert_false(s.has_signer);
	assert_false(s.has_content);
	assert_int_equal(s.n_certs, 2);
	assert_int_equal(cms_signed_signer(&s, &cert, NULL), ERR_NOT_FOUND);
	assert_int_equal(cms_signed_verify(&s, *state, SPAN_NONE, NULL), ERR_SYNTAX);
	/* ours, in the order given */
	assert_int_equal(cms_put_degenerate(&built, certs, 2, &certs[0], 1, NULL), OK);
	assert_int_equal(cms_signed_parse(buf_span(&built), &s, NULL), OK);
	assert_int_equal(s.n_certs, 2);
	assert_span_equal(s.certs[0], buf_span(&leaf));
	assert_span_equal(s.certs[1], buf_span(&ca));
	assert_int_equal(s.n_crls, 1);
	assert_false(s.has_signer);
}

/* unread: certificates, values of attributes, parameters of algorithms */
static void hostile(void **state)
{
	static const struct {
		const char *file;
		int unread;
	} rows[] = {
		{ "signed_unsorted.der", 48 },
		{ "signed_openssl_p256.der", 53 },
		{ "degenerate.der", 61 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = load(rows[i].file);

		unit_refuses_cuts(buf_span(&der), parse);
		unit_survives_flips(buf_span(&der), parse);
		assert_int_equal(unit_bears_intruders(buf_span(&der), parse), rows[i].unread);
	}
}

/* The same SignerInfo twice in its SET: which of the two would be believed? */
static void two_signers(void **state)
{
	BUF der = load("signed_unsorted.der");
	struct der_reader info, explicit, sd;
	struct der_tlv field, type;
	BUF twice = BUF_INIT;
	struct cms_signed s;
	struct err err;
	size_t marks[4];

	(void)state;
	assert_int_equal(der_read_whole(buf_span(&der), DER_SEQUENCE, "", &info, NULL), OK);
	assert_int_equal(der_read_any(&info, "", &type, NULL), OK);
	assert_int_equal(der_enter(&info, DER_CONTEXT_CONS(0), "", &explicit, NULL), OK);
	assert_int_equal(der_enter(&explicit, DER_SEQUENCE, "", &sd, NULL), OK);
	marks[0] = der_open(&twice, DER_SEQUENCE);
	buf_put(&twice, type.whole);
	marks[1] = der_open(&twice, DER_CONTEXT_CONS(0));
	marks[2] = der_open(&twice, DER_SEQUENCE);
	do {
		assert_int_equal(der_read_any(&sd, "", &field, NULL), OK);
		if (!der_at_end(&sd))
			buf_put(&twice, field.whole);
	} while (!der_at_end(&sd));
	marks[3] = der_open(&twice, DER_SET);
	buf_put(&twice, field.content);
	buf_put(&twice, field.content);
	der_close(&twice, marks[3]);
	der_close(&twice, marks[2]);
	der_close(&twice, marks[1]);
	der_close(&twice, marks[0]);
	assert_int_equal(cms_signed_parse(buf_span(&twice), &s, &err), ERR_SYNTAX);
	assert_non_null(strstr(err.text, "more than one SignerInfo"));
}

/* Whatever byte is changed, what verifies is what was signed. */
static void no_flip_forges(void **state)
{
	BUF der = load("signed_unsorted.der");
	struct cms_signed s;
	size_t i, verified = 0;

	for (i = 0; i < der.len; i++) {
		struct der_tlv tlv;

		der.data[i] ^= 0x11;
		if (cms_signed_parse(buf_span(&der), &s, NULL) == OK &&
		    verify(&s, *state, NULL) == OK) {
			assert_span_equal(s.content, span_str(plain));
			assert_int_equal(
			    cms_attr_find(&s, OID_SCEP_TRANSACTION_ID, "transactionID", &tlv, NULL),
			    OK);
			assert_span_equal(tlv.content, SPAN_LIT("transaction 7"));
			verified++;
		}
		der.data[i] ^= 0x11;
	}
	/* such bytes are there: the sid, the certificate around its key */
	assert_true(verified > 0 && verified < der.len);
}

static void too_much(void **state)
{
	BUF cert = unit_vector("cert_ed25519.der");
	struct span certs[CMS_CERTS_MAX + 1];
	BUF out = BUF_INIT;
	struct cms_signed s;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(certs); i++)
		certs[i] = buf_span(&cert);
	assert_int_equal(cms_put_degenerate(&out, certs, CMS_CERTS_MAX, NULL, 0, NULL), OK);
	assert_int_equal(cms_signed_parse(buf_span(&out), &s, NULL), OK);
	buf_reset(&out);
	assert_int_equal(cms_put_degenerate(&out, certs, CMS_CERTS_MAX + 1, NULL, 0, NULL), OK);
	assert_int_equal(cms_signed_parse(buf_span(&out), &s, NULL), ERR_LIMIT);
}

static void another_content_type(void **state)
{
	BUF der = unit_vector("enveloped_aes128.der");
	struct err err = { 0 };
	struct cms_signed s;

	(void)state;
	assert_int_equal(cms_signed_parse(buf_span(&der), &s, &err), ERR_BAD_REQUEST);
	assert_non_null(strstr(err_text(&err), "id-envelopedData"));
}

static void put_scep_attrs(struct buf *out)
{
	BUF value = BUF_INIT;

	der_put_tlv(&value, DER_PRINTABLE_STRING, SPAN_LIT("transaction 7"));
	cms_put_attr(out, OID_SCEP_TRANSACTION_ID, buf_span(&value));
	buf_reset(&value);
	der_put_octets(&value, SPAN_LIT("a nonce"));
	cms_put_attr(out, OID_SCEP_SENDER_NONCE, buf_span(&value));
}

static void sign_with(struct crypto *c, const char *spec_text, bool has_content)
{
	CLEANUP(key_freep) struct key *key = NULL;
	struct cms_sign sign = { .has_content = has_content, .digest = DIGEST_SHA256 };
	BUF cert_der = BUF_INIT;
	BUF attrs = BUF_INIT;
	BUF out = BUF_INIT;
	struct key_spec spec;
	struct cms_signed s;
	struct span cert;

	assert_int_equal(key_spec_parse(spec_text, &spec, NULL), OK);
	assert_int_equal(key_evp_generate(&key, c, spec, NULL), OK);
	assert_int_equal(cert_self_signed(&(struct cert_self){ SPAN_LIT("\x30\x00"), 0, 1 }, key, c,
					  &cert_der, NULL),
			 OK);
	put_scep_attrs(&attrs);
	cert = buf_span(&cert_der);
	sign.content = span_str(plain);
	sign.attrs = buf_span(&attrs);
	sign.signer_cert = cert;
	sign.certs = &cert;
	sign.n_certs = 1;
	assert_int_equal(cms_sign(&sign, key, c, &out, NULL), OK);
	assert_int_equal(cms_signed_parse(buf_span(&out), &s, NULL), OK);
	assert_int_equal(s.has_content, has_content);
	assert_int_equal(s.n_attrs, 4);
	assert_int_equal(verify(&s, c, NULL), OK);
	unit_refuses_cuts(buf_span(&out), parse);
}

/* RFC 5652 5.3: without a certificate, by the identifier of the key. */
static void signed_by_a_key_alone(void **state)
{
	CLEANUP(key_freep) struct key *key = NULL;
	struct cms_sign sign = { .has_content = true,
				 .content = span_str(plain),
				 .digest = DIGEST_SHA256,
				 .signer_ski = SPAN_LIT("key 7") };
	const struct key_spec spec = { .kind = KEY_EC_P256 };
	struct crypto *c = *state;
	struct cms_signed s;
	struct cms_sid sid;
	struct cert cert;
	BUF out = BUF_INIT;

	assert_int_equal(key_evp_generate(&key, c, spec, NULL), OK);
	assert_int_equal(cms_sign(&sign, key, c, &out, NULL), OK);
	assert_int_equal(cms_signed_parse(buf_span(&out), &s, NULL), OK);
	assert_int_equal(s.n_certs, 0);
	assert_int_equal(cms_signed_sid(&s, &sid, NULL), OK);
	assert_span_equal(sid.ski, sign.signer_ski);
	assert_int_equal(sid.issuer.len, 0);
	assert_int_equal(cms_signed_signer(&s, &cert, NULL), ERR_NOT_FOUND);
	assert_int_equal(cms_signed_verify(&s, c, key_spki(key), NULL), OK);
	unit_refuses_cuts(buf_span(&out), parse);
}

static void signed_and_read_back(void **state)
{
	static const char *const specs[] = { "rsa2048", "p256", "p384", "p521", "ed25519" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(specs); i++) {
		sign_with(*state, specs[i], true);
		sign_with(*state, specs[i], false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_others_made),
		cmocka_unit_test(content_changed),
		cmocka_unit_test(signed_by_another),
		cmocka_unit_test(attributes_found),
		cmocka_unit_test(degenerate),
		cmocka_unit_test(hostile),
		cmocka_unit_test(two_signers),
		cmocka_unit_test(no_flip_forges),
		cmocka_unit_test(too_much),
		cmocka_unit_test(another_content_type),
		cmocka_unit_test(signed_by_a_key_alone),
		cmocka_unit_test(signed_and_read_back),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
