/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/key_evp.h"
#include "pki/name.h"

#define NOW 1795293840 /* 2026-11-21T20:44:00Z */
#define DAY 86400

static int set_up(void **state)
{
	return crypto_new((struct crypto **)state, false, NULL) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	crypto_free(*state);
	return 0;
}

static enum result parse(struct span der)
{
	struct crl_scope scope;
	struct crl crl;
	size_t n;

	TRY(crl_parse(der, &crl, NULL));
	TRY(crl_read_scope(&crl, &scope, NULL));
	return crl_count(&crl, &n, NULL);
}

static struct key *load_key(struct crypto *c)
{
	BUF pem = unit_vector("p256.pem");
	struct key *key = NULL;

	assert_int_equal(key_evp_from_bytes(&key, c, buf_span(&pem), NULL, NULL), OK);
	return key;
}

/* ---- what python3-cryptography made (vectors/make_crl.py) ---- */

static void frames_of_another(void **state)
{
	static const struct {
		const char *file;
		size_t entries;
		struct crl_scope scope;
	} rows[] = {
		{ "crl_full.der", 3, { .number = 7 } },
		{ "crl_empty.der", 0, { .number = 0 } },
		{ "crl_delta.der", 1, { .number = 9, .is_delta = true, .base = 7 } },
		{ "crl_part.der",
		  1,
		  { .number = 8,
		    .point = SPAN_LIT("http://crl.example/3.crl"),
		    .only_user = true } },
	};
	CLEANUP(key_freep) struct key *key = load_key(*state);
	size_t i, n = 0;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_vector(rows[i].file);
		BUF name = BUF_INIT;
		struct crl_scope scope;
		struct crl crl;

		assert_int_equal(crl_parse(buf_span(&der), &crl, NULL), OK);
		assert_int_equal(name_put_text(&name, crl.issuer, NULL), OK);
		assert_string_equal(buf_cstr(&name), "CN=Lists,O=Example");
		assert_int_equal(crl.this_update, NOW);
		assert_int_equal(crl.next_update, NOW + 7 * DAY);
		assert_int_equal(crl_count(&crl, &n, NULL), OK);
		assert_int_equal(n, rows[i].entries);
		assert_int_equal(crl_verify_signature(&crl, *state, key_spki(key), NULL), OK);
		assert_int_equal(crl_read_scope(&crl, &scope, NULL), OK);
		assert_true(scope.has_number);
		assert_int_equal(scope.number, rows[i].scope.number);
		assert_int_equal(scope.is_delta, rows[i].scope.is_delta);
		assert_int_equal(scope.base, rows[i].scope.base);
		assert_int_equal(scope.aki.len, 20);
		assert_span_equal(scope.point, rows[i].scope.point);
		assert_int_equal(scope.only_user, rows[i].scope.only_user);
		assert_false(scope.only_ca || scope.indirect || scope.only_attribute);
	}
}

static void entries_of_another(void **state)
{
	static const struct {
		struct span serial;
		enum result want;
		enum crl_reason reason;
		int64_t invalid_since;
	} rows[] = {
		{ SPAN_LIT("\x7f\x01"), OK, CRL_UNSPECIFIED, 0 },
		{ SPAN_LIT("\x00\xf0\x0d"), OK, CRL_KEY_COMPROMISE, NOW - 2 * DAY },
		{ SPAN_LIT("\x03"), OK, CRL_CERTIFICATE_HOLD, 0 },
		{ SPAN_LIT("\xf0\x0d"), ERR_NOT_FOUND, 0, 0 },
	};
	BUF der = unit_vector("crl_full.der");
	struct crl crl;
	size_t i;

	(void)state;
	assert_int_equal(crl_parse(buf_span(&der), &crl, NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct crl_entry entry;

		assert_int_equal(crl_find(&crl, rows[i].serial, &entry, NULL), rows[i].want);
		if (rows[i].want != OK)
			continue;
		assert_int_equal(entry.revoked, NOW);
		assert_int_equal(entry.reason, rows[i].reason);
		assert_int_equal(entry.invalid_since, rows[i].invalid_since);
	}
}

static void scopes_that_are_refused(void **state)
{
	static const struct {
		const char *file;
		enum result want;
		const char *says;
	} rows[] = {
		{ "crl_some_reasons.der", ERR_BAD_REQUEST, "5.2.5" },
		{ "crl_big_number.der", ERR_LIMIT, "cRLNumber" },
		{ "crl_unknown_critical.der", ERR_BAD_REQUEST, "1.2.3.4" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_vector(rows[i].file);
		struct crl_scope scope;
		struct err err = { 0 };
		struct crl crl;

		assert_int_equal(crl_parse(buf_span(&der), &crl, NULL), OK);
		assert_int_equal(crl_read_scope(&crl, &scope, &err), rows[i].want);
		assert_non_null(strstr(err.text, rows[i].says));
	}
}

/* ---- hostile ---- */

static void cut_and_changed(void **state)
{
	static const char *const files[] = { "crl_full.der", "crl_delta.der", "crl_part.der" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(files); i++) {
		BUF der = unit_vector(files[i]);

		unit_refuses_cuts(buf_span(&der), parse);
		unit_survives_flips(buf_span(&der), parse);
	}
}

static void no_changed_byte_verifies(void **state)
{
	CLEANUP(key_freep) struct key *key = load_key(*state);
	BUF der = unit_vector("crl_full.der");
	struct crl crl;
	size_t i;

	for (i = 0; i < der.len; i++) {
		der.data[i] ^= 1;
		if (crl_parse(buf_span(&der), &crl, NULL) == OK)
			assert_int_not_equal(
			    crl_verify_signature(&crl, *state, key_spki(key), NULL), OK);
		der.data[i] ^= 1;
	}
}

static void broken_entries(void **state)
{
	static const struct {
		const char *hex;
		enum result want;
	} rows[] = {
		{ "3012020103170d3236313132313230343430305a", OK },
		/* no serial; no time; a time that is none; bytes behind */
		{ "3010"
		  "0200"
		  "170d3236313132313230343430305a",
		  ERR_SYNTAX },
		{ "3003020103", ERR_SYNTAX },
		{ "3012020103170d3236313332313230343430305a", ERR_SYNTAX },
		{ "3014020103170d3236313132313230343430305a0500", ERR_SYNTAX },
		/* reasonCode 7, which is unused; of two octets; twice */
		{ "3020020103170d3236313132313230343430305a300c300a0603551d1504030a0107",
		  ERR_SYNTAX },
		{ "3021020103170d3236313132313230343430305a300d300b0603551d1504040a020001",
		  ERR_SYNTAX },
		{ "302c020103170d3236313132313230343430305a3018"
		  "300a0603551d1504030a0101300a0603551d1504030a0101",
		  ERR_SYNTAX },
		/* certificateIssuer, critical: an indirect list */
		{ "3020020103170d3236313132313230343430305a300c300a0603551d1d0101ff0400",
		  ERR_BAD_REQUEST },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF bytes = unit_hex(rows[i].hex);
		struct crl crl = { .entries = buf_span(&bytes) };
		size_t n = 0;

		assert_int_equal(crl_count(&crl, &n, NULL), rows[i].want);
		assert_int_equal(n, rows[i].want == OK);
	}
}

/* ---- what we make ---- */

static void both_ways(void **state)
{
	static const struct crl_entry entries[] = {
		{ SPAN_LIT("\x01"), NOW - DAY, CRL_UNSPECIFIED, 0 },
		{ SPAN_LIT("\x02"), NOW, CRL_SUPERSEDED, 0 },
		{ SPAN_LIT("\x00\xff"), NOW, CRL_AA_COMPROMISE, NOW - 3 * DAY },
		{ SPAN_LIT("\x05"), NOW, CRL_UNSPECIFIED, 4070908800 },
	};
	CLEANUP(key_freep) struct key *key = load_key(*state);
	struct crl_template t = { .sig_alg = { KEY_EC_P256, DIGEST_SHA256 },
				  .aki = SPAN_LIT("key identifier"),
				  .this_update = NOW,
				  .next_update = NOW + DAY,
				  .number = UINT64_MAX,
				  .is_delta = true,
				  .base = 300,
				  .point = "http://a/b",
				  .delta = "http://a/c" };
	BUF name = BUF_INIT, list = BUF_INIT, der = BUF_INIT;
	struct der_reader reader;
	struct crl_scope scope;
	struct crl_entry got;
	struct crl crl;
	bool more;
	size_t i;

	assert_int_equal(name_parse_text("CN=Lists", &name, NULL), OK);
	t.issuer = buf_span(&name);
	for (i = 0; i < ARRAY_LEN(entries); i++)
		crl_put_entry(&list, &entries[i]);
	assert_int_equal(crl_issue(&t, buf_span(&list), key, *state, &der, NULL), OK);
	assert_int_equal(crl_parse(buf_span(&der), &crl, NULL), OK);
	assert_int_equal(crl_verify_signature(&crl, *state, key_spki(key), NULL), OK);
	assert_int_equal(crl_read_scope(&crl, &scope, NULL), OK);
	assert_true(scope.number == UINT64_MAX && scope.is_delta && scope.base == 300);
	assert_span_equal(scope.point, SPAN_LIT("http://a/b"));
	assert_span_equal(scope.aki, t.aki);
	der_reader_init(&reader, crl.entries);
	for (i = 0; i < ARRAY_LEN(entries); i++) {
		assert_int_equal(crl_next(&reader, &got, &more, NULL), OK);
		assert_true(more);
		assert_span_equal(got.serial, entries[i].serial);
		assert_int_equal(got.revoked, entries[i].revoked);
		assert_int_equal(got.reason, entries[i].reason);
		assert_int_equal(got.invalid_since, entries[i].invalid_since);
	}
	assert_int_equal(crl_next(&reader, &got, &more, NULL), OK);
	assert_false(more);
}

/* Written apart, as for a list that is not held: the same bytes. */
static void in_pieces(void **state)
{
	struct crl_template t = { .sig_alg = { KEY_RSA, DIGEST_SHA256 },
				  .issuer = SPAN_LIT("\x30\x00"),
				  .aki = SPAN_LIT("id"),
				  .this_update = NOW,
				  .next_update = NOW + DAY };
	struct crl_entry entry = { SPAN_LIT("\x44"), NOW, CRL_KEY_COMPROMISE, 0 };
	BUF list = BUF_INIT, tbs = BUF_INIT, tail = BUF_INIT, der = BUF_INIT, behind = BUF_INIT;
	BUF whole = BUF_INIT;
	struct crl crl;
	size_t i;

	(void)state;
	for (i = 0; i < 300; i++)
		crl_put_entry(&list, &entry);
	assert_int_equal(crl_put_frame(&t, list.len, &tbs, &tail, NULL), OK);
	buf_put(&tbs, buf_span(&list));
	buf_put(&tbs, buf_span(&tail));
	assert_int_equal(
	    crl_put_shell(tbs.len, t.sig_alg, SPAN_LIT("signature"), &der, &behind, NULL), OK);
	buf_put(&der, buf_span(&tbs));
	buf_put(&der, buf_span(&behind));
	assert_int_equal(
	    cert_assemble(buf_span(&tbs), t.sig_alg, SPAN_LIT("signature"), &whole, NULL), OK);
	assert_span_equal(buf_span(&der), buf_span(&whole));
	assert_int_equal(crl_parse(buf_span(&der), &crl, NULL), OK);
	assert_span_equal(crl.entries, buf_span(&list));
}

static void reasons(void **state)
{
	enum crl_reason reason = CRL_UNSPECIFIED;
	struct err err = { 0 };
	unsigned i;

	(void)state;
	for (i = 0; i <= 10; i++) {
		if (i == 7) {
			assert_null(crl_reason_name(i));
			continue;
		}
		assert_int_equal(crl_reason_parse(crl_reason_name(i), &reason, NULL), OK);
		assert_int_equal(reason, i);
	}
	assert_null(crl_reason_name(11));
	assert_int_equal(crl_reason_parse("KEYCOMPROMISE", &reason, NULL), OK);
	assert_int_equal(crl_reason_parse("lost", &reason, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "superseded"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_another),
		cmocka_unit_test(entries_of_another),
		cmocka_unit_test(scopes_that_are_refused),
		cmocka_unit_test(cut_and_changed),
		cmocka_unit_test(no_changed_byte_verifies),
		cmocka_unit_test(broken_entries),
		cmocka_unit_test(both_ways),
		cmocka_unit_test(in_pieces),
		cmocka_unit_test(reasons),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
