/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "admin/ndes_page.h"
#include "admin/operator.h"

/* ---- pages ---- */

static const uint8_t md5[NDES_THUMBPRINT] = { 0xa6, 0x56, 0xfa, 0x66, 0xab, 0x12, 0xb4, 0x33,
					      0xa2, 0xda, 0x5c, 0xf7, 0xcc, 0x15, 0x3d, 0x9a };

static struct buf password_page(enum ndes_encoding encoding, int64_t minutes)
{
	const struct ndes_password shown = { SPAN_ARRAY(md5), SPAN_LIT("8CE317021F690069"),
					     minutes };
	struct buf out = BUF_INIT;

	ndes_page_password(&out, encoding, &shown);
	return out;
}

/* As programs look for them: a blank more or less, and they find nothing. */
static void password_page_has_the_sentences(void **state)
{
	static const struct {
		int64_t minutes;
		const char *text;
	} rows[] = {
		{ 60, "charset=UTF-8\"><Title>Network Device Enrollment Service</Title>" },
		{ 60, "<P> The thumbprint (hash value) for the CA certificate is: <B> A656FA66 "
		      "AB12B433 A2DA5CF7 CC153D9A </B> <P> The enrollment challenge password is: "
		      "<B> 8CE317021F690069 </B> <P> This password can be used only once and will "
		      "expire within 60 minutes. <P> Each enrollment requires a new challenge "
		      "password. You can refresh this web page to obtain a new challenge password. "
		      "</P>" },
		{ 90, "will expire within 90 minutes. <P>" },
		{ 0, "<B> 8CE317021F690069 </B> <P> This password can be used multiple times and "
		     "will not expire." },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF page = password_page(NDES_UTF8, rows[i].minutes);

		if (!strstr(buf_cstr(&page), rows[i].text))
			fail_msg("row %zu: %s", i, buf_cstr(&page));
	}
}

static void other_pages_have_theirs(void **state)
{
	BUF full = BUF_INIT;
	BUF barred = BUF_INIT;

	(void)state;
	ndes_page_full(&full, NDES_UTF8, 60);
	assert_non_null(
	    strstr(buf_cstr(&full),
		   "<P> The password cache is full. <P> Network Device Enrollment Service "
		   "stores unused password for later use. By default, passwords are "
		   "stored for 60 minutes.<P>Use one of the existing passwords. "));
	ndes_page_no_permission(&barred, NDES_UTF8);
	assert_non_null(strstr(buf_cstr(&barred),
			       "<P> You do not have sufficient permission to enroll with SCEP.  "
			       "Please contact your system administrator. </P>"));
}

static void utf16_is_little_endian_behind_a_mark(void **state)
{
	BUF narrow = password_page(NDES_UTF8, 60);
	BUF wide = password_page(NDES_UTF16, 60);
	size_t i;

	(void)state;
	assert_int_equal(wide.len, 2 + 2 * narrow.len);
	assert_int_equal(wide.data[0], 0xff);
	assert_int_equal(wide.data[1], 0xfe);
	for (i = 0; i < narrow.len; i++) {
		assert_int_equal(wide.data[2 + 2 * i], narrow.data[i]);
		assert_int_equal(wide.data[3 + 2 * i], 0);
	}
}

/* ---- operators: hashes by Python's hashlib.scrypt ---- */

#define SWORDFISH                                                                                  \
	"$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$ctGD6QZNdRGEswxixZsIuBF98oQ4RB3bYovsm+sBaHY"

static void operators_show_name_and_password(void **state)
{
	static const struct {
		const char *header;
		enum result want;
	} rows[] = {
		{ "Basic bWRtOnN3b3JkZmlzaA==", OK },          /* mdm:swordfish */
		{ "basic bWRtOnN3b3JkZmlzaA==", OK },          /* the same */
		{ "BASIC  bWRtOnN3b3JkZmlzaA", OK },           /* the same */
		{ NULL, ERR_DENIED },                          /* */
		{ "", ERR_DENIED },                            /* */
		{ "Basic", ERR_DENIED },                       /* */
		{ "Basic ", ERR_DENIED },                      /* */
		{ "Bearer bWRtOnN3b3JkZmlzaA==", ERR_DENIED }, /* */
		{ "NTLM TlRMTVNTUAABAAAA", ERR_DENIED },       /* */
		{ "Basic bWRtOlN3b3JkZmlzaA==", ERR_DENIED },  /* mdm:Swordfish */
		{ "Basic TURNOnN3b3JkZmlzaA==", ERR_DENIED },  /* MDM:swordfish */
		{ "Basic bWRtOg==", ERR_DENIED },              /* mdm: */
		{ "Basic OnN3b3JkZmlzaA==", ERR_DENIED },      /* :swordfish */
		{ "Basic bWRt", ERR_DENIED },                  /* mdm */
		{ "Basic bWRtAHg6c3dvcmRmaXNo", ERR_DENIED },  /* mdm NUL x:swordfish */
		{ "Basic !!!!", ERR_DENIED },                  /* */
	};
	CLEANUP(operator_list_freep) struct operator_list *list = NULL;
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	size_t i;

	(void)state;
	assert_int_equal(crypto_new(&c, false, NULL), OK);
	assert_int_equal(operator_list_new(&list, (struct rate){ 100, 60 }, NULL), OK);
	assert_int_equal(operator_list_add(list, "other", SWORDFISH, 0, NULL), OK);
	assert_int_equal(operator_list_add(list, "mdm", SWORDFISH, OPERATOR_CHALLENGE_ISSUER, NULL),
			 OK);
	assert_int_equal(operator_list_add(list, "bad", "swordfish", 0, NULL), ERR_CONFIG);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct operator_account *who = NULL;
		struct http_request req = { 0 };
		enum result r;

		req.headers[0].name = SPAN_LIT("authorization");
		req.headers[0].value = span_str(rows[i].header);
		req.n_headers = rows[i].header ? 1 : 0;
		r = operator_authenticate(list, c, &req, &who, NULL);
		if (r != rows[i].want)
			fail_msg("row %zu: %s", i, err_name(r));
		assert_true((who != NULL) == (r == OK));
		if (who)
			assert_string_equal(who->name, "mdm");
		if (who)
			assert_int_equal(who->roles, OPERATOR_CHALLENGE_ISSUER);
	}
}

static enum result log_in(const struct operator_list *list, struct crypto *c, const char *header,
			  uint8_t last)
{
	static const uint8_t ipv4[4] = { 192, 0, 2, 0 };
	const struct operator_account *who = NULL;
	struct http_request req = { .address = address_of_ipv4(ipv4), .n_headers = 1 };

	req.address.octets[15] = last;
	req.headers[0].name = SPAN_LIT("Authorization");
	req.headers[0].value = span_str(header);
	return operator_authenticate(list, c, &req, &who, NULL);
}

static void guessers_have_to_wait(void **state)
{
	static const char good[] = "Basic bWRtOnN3b3JkZmlzaA==", bad[] = "Basic bWRtOnN3b3Jk";
	CLEANUP(operator_list_freep) struct operator_list *list = NULL;
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	int i;

	(void)state;
	assert_int_equal(crypto_new(&c, false, NULL), OK);
	assert_int_equal(operator_list_new(&list, (struct rate){ 3, 600 }, NULL), OK);
	assert_int_equal(operator_list_add(list, "mdm", SWORDFISH, 0, NULL), OK);
	for (i = 0; i < 9; i++) {
		assert_int_equal(log_in(list, c, good, 1), OK);
		assert_int_equal(log_in(list, c, "", 1), ERR_DENIED);
	}
	for (i = 0; i < 3; i++)
		assert_int_equal(log_in(list, c, bad, 1), ERR_DENIED);
	assert_int_equal(log_in(list, c, bad, 1), ERR_TOO_MANY);
	assert_int_equal(log_in(list, c, good, 1), ERR_TOO_MANY);
	assert_int_equal(log_in(list, c, good, 2), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(password_page_has_the_sentences),
		cmocka_unit_test(other_pages_have_theirs),
		cmocka_unit_test(utf16_is_little_endian_behind_a_mark),
		cmocka_unit_test(operators_show_name_and_password),
		cmocka_unit_test(guessers_have_to_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
