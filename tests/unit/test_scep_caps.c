/* SPDX-License-Identifier: Apache-2.0 */
/* GetCACaps: whole lines without case, whatever else a server sends. */
#include "scep/caps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define STANDARD (SCEP_CAP_STANDARD | SCEP_CAP_AES | SCEP_CAP_POST | SCEP_CAP_SHA256)

static void rows(void **state)
{
	static const struct {
		const char *text;
		uint32_t caps;
	} row[] = {
		{ "", 0 },
		{ "\n\n\r\n", 0 }, /* an empty line is no capability, nor all of them */
		{ "AES\nPOSTPKIOperation\n", SCEP_CAP_AES | SCEP_CAP_POST },
		{ "AES\r\nSHA-512\r\n", SCEP_CAP_AES | SCEP_CAP_SHA512 },
		{ "SHA-256", SCEP_CAP_SHA256 }, /* not SHA-1, and not Renewal */
		{ "aes\nsha-1\nDes3", SCEP_CAP_AES | SCEP_CAP_SHA1 | SCEP_CAP_DES3 },
		{ "  Renewal \t\r\n", SCEP_CAP_RENEWAL },
		{ "SCEPStandard", STANDARD },
		{ "scepstandard\nGetNextCACert", STANDARD | SCEP_CAP_GET_NEXT_CA_CERT },
		{ "AE\nAESX\nSHA\nSHA-2\nSHA-2566\nPOST", 0 },
		{ "SHA-1 SHA-256", 0 },
		{ "<html><body>404</body></html>", 0 },
		{ "UnknownThing\nAES\nUpdate", SCEP_CAP_AES },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++)
		if (scep_caps_parse(span_str(row[i].text)) != row[i].caps)
			fail_msg("row %zu \"%s\": 0x%x, not 0x%x", i, row[i].text,
				 scep_caps_parse(span_str(row[i].text)), row[i].caps);
}

static void bytes_that_are_no_text(void **state)
{
	(void)state;
	assert_int_equal(scep_caps_parse(SPAN_LIT("AES\0\nSHA-1\0")), 0);
	assert_int_equal(scep_caps_parse(SPAN_LIT("\xff\xfe\nAES")), SCEP_CAP_AES);
	assert_int_equal(scep_caps_parse(SPAN_NONE), 0);
}

static void point_10_server_writes_the_case_of_the_rfc(void **state)
{
	BUF out = BUF_INIT;

	(void)state;
	scep_caps_put(&out, STANDARD | SCEP_CAP_SHA512);
	assert_string_equal(buf_cstr(&out), "AES\nPOSTPKIOperation\nSHA-256\nSHA-512\n"
					    "SCEPStandard\n");
	buf_reset(&out);
	scep_caps_put(&out, 0);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(bytes_that_are_no_text),
		cmocka_unit_test(point_10_server_writes_the_case_of_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
