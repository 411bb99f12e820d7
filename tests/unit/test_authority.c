/* SPDX-License-Identifier: Apache-2.0 */
#include "ca_fixture.h"

/* ---- certificates as OpenSSL and GnuTLS read them ---- */

static void write_file(const struct ca_fixture *f, const char *name, struct span bytes)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(file_write_atomic(path, 0600, bytes, NULL), OK);
}

/* Standard output of a shell command in the fixture's folder; the test fails if it does. */
static const char *shell(const struct ca_fixture *f, const char *command, char *text, size_t size)
{
	char line[512];
	FILE *pipe;
	size_t n;

	(void)snprintf(line, sizeof(line), "cd '%s' && { %s; } 2>&1", f->dir, command);
	pipe = popen(line, "r");
	assert_non_null(pipe);
	n = fread(text, 1, size - 1, pipe);
	text[n] = '\0';
	if (pclose(pipe) != 0)
		fail_msg("%s: %s", line, text);
	return text;
}

static void ca_and_ra_verify_elsewhere(void **state)
{
	struct ca_fixture *f = *state;
	char text[8192];

	assert_true(f->demo->has_ra && f->demo->ra_one);
	assert_ptr_equal(authority_ca_signer(f->demo), &f->demo->ra_sign);
	assert_ptr_equal(authority_ca_decrypter(f->demo), &f->demo->ra_sign);
	write_file(f, "ca.der", buf_span(&f->demo->ca.der));
	write_file(f, "ra.der", buf_span(&f->demo->ra_sign.der));
	shell(f, "openssl x509 -inform DER -in ca.der -out ca.pem", text, sizeof(text));
	shell(f, "openssl x509 -inform DER -in ra.der -out ra.pem", text, sizeof(text));
	shell(f, "openssl verify -x509_strict -attime 1795300000 -CAfile ca.pem ra.pem", text,
	      sizeof(text));
	shell(f, "certtool --certificate-info --infile ra.pem", text, sizeof(text));
	assert_non_null(strstr(text, "Signature Algorithm: ECDSA-SHA256"));
	shell(f, "openssl x509 -noout -text -nameopt RFC2253 -in ca.pem", text, sizeof(text));
	assert_non_null(strstr(text, "CA:TRUE, pathlen:0"));
	assert_non_null(strstr(text,
			       "critical\n                Digital Signature, Certificate Sign, CRL "
			       "Sign\n"));
	assert_non_null(strstr(text, "Subject: CN=Demo CA,O=Example\n"));
	shell(f, "openssl x509 -noout -text -nameopt RFC2253 -in ra.pem", text, sizeof(text));
	assert_non_null(strstr(text, "critical\n                Digital Signature, Key Encipher"));
	assert_non_null(strstr(text, "Subject: CN=demo RA,O=Example\n"));
	assert_non_null(strstr(text, "CA:FALSE"));
}

static void without_ra_the_ca_speaks_itself(void **state)
{
	struct ca_fixture *f = *state;
	struct authority_init init = ca_fixture_init("alone");
	const struct authority_ca *ca;
	char text[8192];

	init.has_ra = false;
	init.ca_key = (struct key_spec){ KEY_RSA, 2048 };
	ca_fixture_create(f, &init);
	ca_fixture_load(f);
	ca = authority_find(f->authority, "alone", NOW);
	assert_non_null(ca);
	assert_false(ca->has_ra);
	assert_ptr_equal(authority_ca_signer(ca), &ca->ca);
	assert_ptr_equal(authority_ca_decrypter(ca), &ca->ca);
	write_file(f, "alone.der", buf_span(&ca->ca.der));
	shell(f, "openssl x509 -inform DER -noout -text -in alone.der", text, sizeof(text));
	assert_non_null(
	    strstr(text, "Digital Signature, Key Encipherment, Certificate Sign, CRL Sign"));
}

static void split_ra_has_two_certificates(void **state)
{
	struct ca_fixture *f = *state;
	struct authority_init init = ca_fixture_init("split");
	const struct authority_ca *ca;
	char text[8192];

	init.ra_split = true;
	ca_fixture_create(f, &init);
	ca_fixture_load(f);
	ca = authority_find(f->authority, "split", NOW);
	assert_true(ca->has_ra && !ca->ra_one);
	assert_ptr_equal(authority_ca_signer(ca), &ca->ra_sign);
	assert_ptr_equal(authority_ca_decrypter(ca), &ca->ra_encrypt);
	write_file(f, "sign.der", buf_span(&ca->ra_sign.der));
	write_file(f, "encrypt.der", buf_span(&ca->ra_encrypt.der));
	shell(f, "openssl x509 -inform DER -noout -text -in sign.der", text, sizeof(text));
	assert_non_null(strstr(text, "critical\n                Digital Signature\n"));
	shell(f, "openssl x509 -inform DER -noout -text -in encrypt.der", text, sizeof(text));
	assert_non_null(strstr(text, "critical\n                Key Encipherment\n"));
}

/* ---- refusals ---- */

static void create_refuses_with_the_remedy(void **state)
{
	static const struct {
		const char *name;
		const char *subject;
		enum key_kind ca_kind;
		bool has_ra;
		enum key_kind ra_kind;
		int64_t ca_days, leaf_days;
		enum result want;
		const char *says;
	} rows[] = {
		{ "x", "CN=x", KEY_EC_P256, false, 0, 90, 9, ERR_USAGE, "add an RA with an RSA" },
		{ "x", "CN=x", KEY_EC_P256, true, KEY_EC_P256, 90, 9, ERR_USAGE, "an RSA key" },
		{ "x", "CN=x", KEY_EC_P256, true, KEY_RSA, 90, 91, ERR_USAGE, "longer than" },
		{ "x", "CN=x", KEY_EC_P256, true, KEY_RSA, 0, 9, ERR_USAGE, "an hour" },
		{ "x", "CN=x", KEY_EC_P256, true, KEY_RSA, 90, 0, ERR_USAGE, "more than nothing" },
		{ "demo", "CN=x", KEY_EC_P256, true, KEY_RSA, 90, 9, ERR_CONFLICT, "exists" },
		{ "", "CN=x", KEY_EC_P256, true, KEY_RSA, 90, 9, ERR_USAGE, "CA name" },
		{ "../x", "CN=x", KEY_EC_P256, true, KEY_RSA, 90, 9, ERR_USAGE, "CA name" },
		{ "-x", "CN=x", KEY_EC_P256, true, KEY_RSA, 90, 9, ERR_USAGE, "CA name" },
		{ "X", "CN=x", KEY_EC_P256, true, KEY_RSA, 90, 9, ERR_USAGE, "CA name" },
		{ "abcdefghijklmnopqrstuvwxyz-012345", "CN=x", KEY_EC_P256, true, KEY_RSA, 90, 9,
		  ERR_USAGE, "CA name" },
		{ "x", "x", KEY_EC_P256, true, KEY_RSA, 90, 9, ERR_SYNTAX, "" },
	};
	struct ca_fixture *f = *state;
	unsigned before = ca_fixture_events(f, NULL).n;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct authority_init init = ca_fixture_init(rows[i].name);
		struct err err = { 0 };

		init.subject = rows[i].subject;
		init.ca_key.kind = rows[i].ca_kind;
		init.has_ra = rows[i].has_ra;
		init.ra_key.kind = rows[i].ra_kind;
		init.ca_validity = rows[i].ca_days * DAY;
		init.max_leaf_validity = rows[i].leaf_days * DAY;
		if (authority_create(f->store, f->keeper, f->c, &f->clock, &init, &err) !=
			rows[i].want ||
		    !strstr(err.text, rows[i].says))
			fail_msg("row %zu: %s", i, err.text);
	}
	assert_int_equal(ca_fixture_events(f, NULL).n, before);
}

static void creation_is_on_record(void **state)
{
	struct ca_fixture_events seen = ca_fixture_events(*state, NULL);

	assert_int_not_equal(seen.n, 0);
	assert_string_equal(seen.kind, "ca.created");
	assert_non_null(strstr(seen.reason, "CN=Demo CA,O=Example, SHA-256 "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ca_and_ra_verify_elsewhere),
		cmocka_unit_test(creation_is_on_record),
		cmocka_unit_test(create_refuses_with_the_remedy),
		cmocka_unit_test(without_ra_the_ca_speaks_itself),
		cmocka_unit_test(split_ra_has_two_certificates),
	};

	return cmocka_run_group_tests(tests, ca_fixture_set_up, ca_fixture_tear_down);
}
