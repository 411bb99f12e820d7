/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "ca/profile_url.h"

static void urls_of_generations(void **state)
{
	static const struct {
		const char *url;
		unsigned generation, part;
		const char *want;
	} rows[] = {
		{ "http://c/demo/full.crl", 1, 0, "http://c/demo/full.crl" },
		{ "http://c/demo/full.crl", 2, 0, "http://c/demo/2/full.crl" },
		{ "http://c/demo/{part}.crl", 1, 7, "http://c/demo/7.crl" },
		{ "http://c/demo/{part}.crl", 12, 7, "http://c/demo/12/7.crl" },
		{ "http://c/get?crl=full.crl", 2, 0, "http://c/get?crl=full.crl" },
		{ "http://c/old-full.crl", 2, 0, "http://c/old-full.crl" },
		{ "http://c/ca-{generation}.cer", 1, 0, "http://c/ca-1.cer" },
		{ "http://c/ca-{generation}.cer", 3, 0, "http://c/ca-3.cer" },
		{ "http://c/{generation}/full.crl", 3, 0, "http://c/3/full.crl" },
		{ "http://c/{gen", 3, 0, "http://c/{gen/3/full.crl" },
		{ "http://c/crl/demo", 1, 0, "http://c/crl/demo" },
		{ "http://c/crl/demo", 2, 0, "http://c/crl/demo/2/full.crl" },
		{ "http://c/demo.crl", 2, 0, "http://c/demo.crl" },
		{ "", 2, 0, "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF out = BUF_INIT;

		assert_int_equal(
		    profile_url_put(rows[i].url, rows[i].generation, rows[i].part, &out, NULL), OK);
		assert_string_equal((const char *)out.data, rows[i].want);
		assert_int_equal(out.len, strlen(rows[i].want) + 1);
	}
}

static void lists_of_urls(void **state)
{
	char *const urls[] = { (char *)(uintptr_t) "http://a/full.crl",
			       (char *)(uintptr_t) "http://b/x{generation}" };
	CLEANUP(profile_urls_clear) struct profile_urls first = { 0 };
	CLEANUP(profile_urls_clear) struct profile_urls second = { 0 };
	CLEANUP(profile_urls_clear) struct profile_urls none = { 0 };

	(void)state;
	assert_int_equal(profile_urls_init(&first, urls, 1, 1, PROFILE_URL_LIST, NULL), OK);
	assert_ptr_equal(first.urls[0], urls[0]);
	assert_int_equal(profile_urls_init(&second, urls, 2, 2, PROFILE_URL_LIST, NULL), OK);
	assert_string_equal(second.urls[0], "http://a/2/full.crl");
	assert_string_equal(second.urls[1], "http://b/x2");
	assert_int_equal(profile_urls_init(&none, NULL, 0, 2, PROFILE_URL_PLAIN, NULL), OK);
}

static void urls_of_issuers(void **state)
{
	static const struct {
		const char *url;
		bool follows;
		const char *second;
	} rows[] = {
		{ "http://c/crl/demo/ca.cer", true, "http://c/crl/demo/2/ca.cer" },
		{ "http://c/demo.p7c", true, "http://c/2/demo.p7c" },
		{ "https://c/ca-{generation}.cer", true, "https://c/ca-2.cer" },
		{ "ldap://c/cn=ca?{generation}", true, "ldap://c/cn=ca?2" },
		{ "ldap://c/cn=ca.example", false, "ldap://c/cn=ca.example" },
		{ "http://c/get?ca=demo.cer", false, "http://c/get?ca=demo.cer" },
		{ "http://c/ca", false, "http://c/ca" },
		{ "http://c.example", false, "http://c.example" },
		{ "http://c.example/", false, "http://c.example/" },
		{ "", false, "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		char *const urls[] = { (char *)(uintptr_t)rows[i].url };
		CLEANUP(profile_urls_clear) struct profile_urls made = { 0 };

		assert_int_equal(profile_urls_init(&made, urls, 1, 2, PROFILE_URL_ISSUER, NULL),
				 OK);
		assert_string_equal(made.urls[0], rows[i].second);
		assert_int_equal(profile_url_follows(rows[i].url, PROFILE_URL_ISSUER),
				 rows[i].follows);
		assert_true(profile_url_follows(rows[i].url, PROFILE_URL_PLAIN));
	}
	assert_true(profile_url_follows("http://c/crl/demo", PROFILE_URL_LIST));
	assert_false(profile_url_follows("http://c/demo.crl", PROFILE_URL_LIST));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_of_generations),
		cmocka_unit_test(lists_of_urls),
		cmocka_unit_test(urls_of_issuers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
