/* SPDX-License-Identifier: Apache-2.0 */
/* Whose certificate is it, and may it be used? Its fingerprint is openssl's word. */
#include "unit.h"

#include "admin/operator_cert.h"

#define LEAF                                                                                       \
	"6E:E3:49:F7:E6:1C:CF:59:85:48:A3:27:E5:A3:92:53:0F:B3:1D:1E:5C:A1:90:08:BB:7B:40:BF:75:"  \
	"0A:AD:3A"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define IN_TIME 1790000000

static void what_is_refused(void **state)
{
	static const struct {
		const char *sha256, *subject, *issuer;
		const char *says;
	} rows[] = {
		{ NULL, NULL, NULL, "give sha256, or subject and issuer" },
		{ LEAF, "CN=a", "CN=b", "give sha256, or subject and issuer" },
		{ LEAF, NULL, "CN=b", "give sha256, or subject and issuer" },
		{ NULL, "CN=a", NULL, "give sha256, or subject and issuer" },
		{ NULL, NULL, "CN=a", "give sha256, or subject and issuer" },
		{ "", NULL, NULL, "is no SHA-256" },
		{ "zz", NULL, NULL, "is no SHA-256" },
		{ LEAF ":00", NULL, NULL, "is no SHA-256" },
		{ NULL, "a", "CN=b", "subject: " },
		{ NULL, "CN=a", "b", "issuer: " },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct operator_cert c = { 0 };
		struct err err = { 0 };

		if (operator_cert_parse(rows[i].sha256, rows[i].subject, rows[i].issuer, &c,
					&err) != ERR_CONFIG ||
		    !strstr(err.text, rows[i].says))
			fail_msg("row %zu: %s", i, err.text);
		assert_false(c.by_fingerprint || c.subject.data || c.issuer.data);
	}
}

static void whose_it_is(void **state)
{
	static const struct {
		const char *sha256, *subject, *issuer;
		bool verified;
		int64_t now;
		bool is;
		enum result may;
		const char *says;
	} rows[] = {
		{ LEAF, NULL, NULL, false, IN_TIME, true, OK, "" },
		{ LEAF, NULL, NULL, false, 1, true, ERR_DENIED, "is valid from 2026-01-01" },
		{ LEAF, NULL, NULL, true, 9000000000, true, ERR_DENIED, "to 2056-01-01" },
		{ NULL, "CN=router7,O=Example,C=DE", "CN=Example CA,O=Example,C=DE", true, IN_TIME,
		  true, OK, "" },
		{ NULL, "CN=ROUTER7,O=Example,C=DE", "CN=Example CA,O=Example,C=DE", true, IN_TIME,
		  true, OK, "" },
		{ NULL, "CN=router7,O=Example,C=DE", "CN=Example CA,O=Example,C=DE", false, IN_TIME,
		  true, ERR_DENIED, "leads to no CA" },
		{ NULL, "CN=router7,O=Example,C=DE", "CN=Example CA,O=Example,C=DE", true, 1, true,
		  ERR_DENIED, "is valid from" },
		{ NULL, "CN=router7,O=Example,C=DE", "CN=Other CA,O=Example,C=DE", true, IN_TIME,
		  false, OK, "" },
		{ NULL, "CN=router7", "CN=Example CA,O=Example,C=DE", true, IN_TIME, false, OK,
		  "" },
		{ NULL, "CN=router70,O=Example,C=DE", "CN=Example CA,O=Example,C=DE", true, IN_TIME,
		  false, OK, "" },
		{ ZEROS, NULL, NULL, true, IN_TIME, false, OK, "" },
	};
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	BUF der = unit_vector("cert_leaf.der");
	struct operator_cert_seen seen = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(crypto_new(&c, false, NULL), OK);
	assert_int_equal(operator_cert_look(&seen, c, buf_span(&der), NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(operator_cert_clear) struct operator_cert cert = { 0 };
		struct err err = { 0 };

		assert_int_equal(operator_cert_parse(rows[i].sha256, rows[i].subject,
						     rows[i].issuer, &cert, NULL),
				 OK);
		seen.verified = rows[i].verified;
		if (operator_cert_is(&cert, &seen) != rows[i].is)
			fail_msg("row %zu", i);
		if (rows[i].is &&
		    (operator_cert_check(&cert, &seen, rows[i].now, &err) != rows[i].may ||
		     !strstr(err.text, rows[i].says)))
			fail_msg("row %zu: %s", i, err.text);
	}
}

static void nobodys(void **state)
{
	const struct operator_cert without = { 0 };
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	BUF der = unit_vector("cert_leaf.der");
	struct operator_cert_seen seen = { 0 };

	(void)state;
	assert_int_equal(crypto_new(&c, false, NULL), OK);
	assert_int_equal(operator_cert_look(&seen, c, SPAN_LIT("\x30\x03\x02\x01"), NULL),
			 ERR_NOT_FOUND);
	assert_int_equal(operator_cert_look(&seen, c, SPAN_NONE, NULL), ERR_NOT_FOUND);
	assert_int_equal(operator_cert_look(&seen, c, buf_span(&der), NULL), OK);
	seen.verified = true;
	assert_false(operator_cert_is(&without, &seen));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(whose_it_is),
		cmocka_unit_test(nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
