/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "der/oid.h"
#include "der/writer.h"
#include "pki/cert.h"
#include "pki/key_evp.h"
#include "pki/name.h"

#define NOT_BEFORE 1767225600 /* 2026-01-01 */
#define NOT_AFTER 2713910400  /* 2056-01-01 */

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
	struct cert cert;

	return cert_parse(der, &cert, NULL);
}

static void read_what_others_made(void **state)
{
	static const struct {
		const char *file;
		int version;
		const char *serial;
		struct sig_alg alg;
		bool self_issued;
		bool ca;
		size_t ski;
	} rows[] = {
		{ "cert_ca.der",
		  3,
		  "7fff00112233",
		  { KEY_EC_P256, DIGEST_SHA256 },
		  true,
		  true,
		  20 },
		{ "cert_leaf.der",
		  3,
		  "0080aabbccddeeff",
		  { KEY_EC_P256, DIGEST_SHA256 },
		  false,
		  false,
		  20 },
		{ "cert_rsa_sha1.der", 3, "01", { KEY_RSA, DIGEST_SHA1 }, true, false, 0 },
		{ "cert_ed25519.der", 3, "02", { KEY_ED25519, DIGEST_NONE }, true, false, 0 },
		{ "cert_v1.der", 1, "fb", { KEY_RSA, DIGEST_SHA256 }, true, false, 0 },
		{ "cert_v2.der", 2, "05", { KEY_RSA, DIGEST_SHA256 }, true, false, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_vector(rows[i].file);
		BUF serial = unit_hex(rows[i].serial);
		struct cert cert;

		assert_int_equal(cert_parse(buf_span(&der), &cert, NULL), OK);
		assert_int_equal(cert.version, rows[i].version);
		assert_span_equal(cert.serial, buf_span(&serial));
		assert_int_equal(cert.sig_alg.kind, rows[i].alg.kind);
		assert_int_equal(cert.sig_alg.digest, rows[i].alg.digest);
		assert_int_equal(cert.not_before, NOT_BEFORE);
		assert_int_equal(cert.not_after, NOT_AFTER);
		assert_int_equal(cert_is_self_issued(&cert), rows[i].self_issued);
		assert_int_equal(cert_is_ca(&cert), rows[i].ca);
		assert_int_equal(cert_ski(&cert).len, rows[i].ski);
		assert_int_equal(cert.has_unique_ids, rows[i].version == 2);
	}
}

static void unknown_signature_is_read_but_not_verified(void **state)
{
	BUF der = unit_vector("cert_pss.der");
	struct err err = { 0 };
	struct cert cert;

	assert_int_equal(cert_parse(buf_span(&der), &cert, NULL), OK);
	assert_int_equal(cert.sig_alg.kind, KEY_NONE);
	assert_int_equal(cert_verify_signature(&cert, *state, cert.spki, &err), ERR_BAD_ALG);
	assert_non_null(strstr(err_text(&err), "1.2.840.113549.1.1.10"));
}

static void signatures(void **state)
{
	static const struct {
		const char *file;
		const char *issuer;
		enum result want;
	} rows[] = {
		{ "cert_ca.der", "cert_ca.der", OK },
		{ "cert_leaf.der", "cert_ca.der", OK },
		{ "cert_rsa_sha1.der", "cert_rsa_sha1.der", OK },
		{ "cert_v1.der", "cert_leaf.der", OK },
		{ "cert_ed25519.der", "cert_ed25519.der", OK },
		{ "cert_leaf.der", "cert_leaf.der", ERR_BAD_ALG },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_vector(rows[i].file);
		BUF issuer_der = unit_vector(rows[i].issuer);
		struct cert cert, issuer;

		assert_int_equal(cert_parse(buf_span(&der), &cert, NULL), OK);
		assert_int_equal(cert_parse(buf_span(&issuer_der), &issuer, NULL), OK);
		assert_int_equal(cert_verify_signature(&cert, *state, issuer.spki, NULL),
				 rows[i].want);
		der.data[der.len - 30] ^= 1;
		assert_int_not_equal(cert_verify_signature(&cert, *state, issuer.spki, NULL), OK);
	}
}

/* unread: names, the key, extensions, and parameters of algorithms */
static void hostile(void **state)
{
	static const struct {
		const char *file;
		int unread;
	} rows[] = {
		{ "cert_ca.der", 22 },
		{ "cert_leaf.der", 27 },
		{ "cert_v2.der", 17 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_vector(rows[i].file);

		unit_refuses_cuts(buf_span(&der), parse);
		unit_survives_flips(buf_span(&der), parse);
		assert_int_equal(unit_bears_intruders(buf_span(&der), parse), rows[i].unread);
	}
}

static void the_two_algorithms_agree(void **state)
{
	BUF der = unit_vector("cert_ca.der");
	struct err err = { 0 };
	struct cert cert;
	size_t i, hits = 0;

	(void)state;
	/* the second ecdsa-with-SHA256 becomes ecdsa-with-SHA384 */
	for (i = 0; i + OID_ECDSA_SHA256.len < der.len; i++)
		if (memcmp(der.data + i, OID_ECDSA_SHA256.p, OID_ECDSA_SHA256.len) == 0 &&
		    ++hits == 2)
			der.data[i + OID_ECDSA_SHA256.len - 1]++;
	assert_int_equal(hits, 2);
	assert_int_equal(cert_parse(buf_span(&der), &cert, &err), ERR_SYNTAX);
	assert_non_null(strstr(err_text(&err), "4.1.1.2"));
}

/* From python3-cryptography: x509.SubjectKeyIdentifier.from_public_key, and hashlib. */
static void identifiers(void **state)
{
	BUF der = unit_vector("cert_leaf.der");
	uint8_t id[20], digest[DIGEST_MAX];
	struct cert cert;

	assert_int_equal(cert_parse(buf_span(&der), &cert, NULL), OK);
	assert_int_equal(cert_key_id(*state, cert.spki, id, NULL), OK);
	assert_span_equal(SPAN_ARRAY(id), cert_ski(&cert));
	assert_int_equal(cert_fingerprint(*state, SPAN_LIT("abc"), DIGEST_SHA256, digest, NULL),
			 OK);
	BUF want = unit_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_span_equal(span_of(digest, 32), buf_span(&want));
}

/* The parts of cert_leaf.der, put together again, are its TBSCertificate to the byte. */
static void rebuilt_to_the_byte(void **state)
{
	BUF der = unit_vector("cert_leaf.der");
	BUF tbs = BUF_INIT;
	BUF whole = BUF_INIT;
	struct cert cert;

	(void)state;
	assert_int_equal(cert_parse(buf_span(&der), &cert, NULL), OK);
	struct cert_template t = { cert.serial,    cert.sig_alg, cert.issuer, cert.not_before,
				   cert.not_after, cert.subject, cert.spki,   cert.exts };
	assert_int_equal(cert_build_tbs(&t, &tbs, NULL), OK);
	assert_span_equal(buf_span(&tbs), cert.tbs);
	assert_int_equal(cert_assemble(cert.tbs, cert.sig_alg, cert.signature, &whole, NULL), OK);
	assert_span_equal(buf_span(&whole), buf_span(&der));
}

/* The extensions of cert_leaf.der and cert_ca.der, written by ours. */
static void extensions_to_the_byte(void **state)
{
	static const char *const crl[] = { "http://pki.example/ca.crl",
					   "ldap://pki.example/cn=ca" };
	static const char *const ocsp[] = { "http://ocsp.example/" };
	static const char *const issuers[] = { "http://pki.example/ca.cer" };
	const struct span eku[] = { OID_SERVER_AUTH, OID_CLIENT_AUTH };
	BUF ca_der = unit_vector("cert_ca.der");
	BUF der = unit_vector("cert_leaf.der");
	BUF exts = BUF_INIT;
	struct cert ca, cert;
	struct der_reader names;
	struct ext san;

	(void)state;
	assert_int_equal(cert_parse(buf_span(&ca_der), &ca, NULL), OK);
	ext_put_basic_constraints(&exts, true, 0);
	ext_put_key_usage(&exts, KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	ext_put_ski(&exts, cert_ski(&ca));
	assert_span_equal(buf_span(&exts), ca.exts);
	buf_reset(&exts);
	assert_int_equal(cert_parse(buf_span(&der), &cert, NULL), OK);
	assert_int_equal(ext_find(cert.exts, OID_SUBJECT_ALT_NAME, &san, NULL), OK);
	assert_int_equal(der_read_whole(san.value, DER_SEQUENCE, "SAN", &names, NULL), OK);
	ext_put_basic_constraints(&exts, false, -1);
	ext_put_key_usage(&exts, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	ext_put_eku(&exts, eku, ARRAY_LEN(eku), false);
	ext_put_ski(&exts, cert_ski(&cert));
	ext_put_aki(&exts, cert_ski(&ca));
	ext_put_san(&exts, names.rest, false);
	ext_put_crl_distribution_points(&exts, crl, ARRAY_LEN(crl));
	ext_put_authority_info_access(&exts, ocsp, 1, issuers, 1);
	assert_span_equal(buf_span(&exts), cert.exts);
}

static void serials_refused(void **state)
{
	static const struct {
		struct span serial;
		enum result want;
	} rows[] = {
		{ SPAN_LIT("\x01"), OK },
		{ SPAN_LIT("\x00\x01"), OK },
		{ SPAN_LIT("\x00"), ERR_BAD_TEMPLATE },
		{ SPAN_LIT(""), ERR_BAD_TEMPLATE },
		{ SPAN_LIT("\x7f-------------------"), OK },
		{ SPAN_LIT("\x80-------------------"), ERR_BAD_TEMPLATE },
		{ SPAN_LIT("\x01--------------------"), ERR_BAD_TEMPLATE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct cert_template t = { .serial = rows[i].serial,
					   .sig_alg = { KEY_RSA, DIGEST_SHA256 } };
		BUF out = BUF_INIT;

		assert_int_equal(cert_build_tbs(&t, &out, NULL), rows[i].want);
		assert_int_equal(out.len != 0, rows[i].want == OK);
	}
}

static void self_signed_by_every_kind(void **state)
{
	static const char *const specs[] = { "rsa2048", "p256", "p384", "p521", "ed25519" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(specs); i++) {
		CLEANUP(key_freep) struct key *key = NULL;
		BUF subject = BUF_INIT;
		BUF der = BUF_INIT;
		struct key_spec spec;
		struct cert cert;
		struct ext ext;
		uint32_t usage;

		assert_int_equal(key_spec_parse(specs[i], &spec, NULL), OK);
		assert_int_equal(key_evp_generate(&key, *state, spec, NULL), OK);
		assert_int_equal(name_parse_text("CN=router7", &subject, NULL), OK);
		assert_int_equal(cert_self_signed(&(struct cert_self){ buf_span(&subject),
								       NOT_BEFORE, NOT_AFTER },
						  key, *state, &der, NULL),
				 OK);
		assert_int_equal(cert_parse(buf_span(&der), &cert, NULL), OK);
		assert_int_equal(cert_verify_signature(&cert, *state, cert.spki, NULL), OK);
		assert_true(cert_is_self_issued(&cert));
		assert_int_equal(cert.serial.len, 16);
		assert_int_equal(ext_find(cert.exts, OID_KEY_USAGE, &ext, NULL), OK);
		assert_int_equal(ext_read_key_usage(ext.value, &usage, NULL), OK);
		assert_int_equal(usage & KU_KEY_ENCIPHERMENT ? 1 : 0, spec.kind == KEY_RSA);
	}
}

static void loaded_from_a_file(void **state)
{
	BUF der = unit_vector("cert_ca.der");
	BUF got = BUF_INIT;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(cert_load(UNIT_VECTORS "/cert_ca.der", &got, NULL), OK);
	assert_span_equal(buf_span(&got), buf_span(&der));
	buf_reset(&got);
	assert_int_not_equal(cert_load(UNIT_VECTORS "/rsa.pem", &got, &err), OK);
	assert_non_null(strstr(err_text(&err), "rsa.pem"));
	assert_int_equal(got.len, 0);
	assert_int_equal(cert_load("/nowhere", &got, NULL), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_what_others_made),
		cmocka_unit_test(unknown_signature_is_read_but_not_verified),
		cmocka_unit_test(signatures),
		cmocka_unit_test(hostile),
		cmocka_unit_test(the_two_algorithms_agree),
		cmocka_unit_test(identifiers),
		cmocka_unit_test(rebuilt_to_the_byte),
		cmocka_unit_test(extensions_to_the_byte),
		cmocka_unit_test(serials_refused),
		cmocka_unit_test(self_signed_by_every_kind),
		cmocka_unit_test(loaded_from_a_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
