/* SPDX-License-Identifier: Apache-2.0 */
/* Syslog messages octet by octet, as RFC 5424 6 has them. */
#include "unit.h"

#include "integrations/syslog.h"

static const struct syslog_origin origin = {
	.facility = 16, .enterprise = 4711, .host = "ca.example", .pid = 7
};

static const struct row {
	const char *json;
	const char *want;
} lines[] = {
	{ "{\"time\":\"2026-11-21T20:44:00.001Z\",\"level\":\"warning\",\"program\":\"scepterd\","
	  "\"msg\":\"enrolment rejected\",\"endpoint\":\"demo\",\"days\":90}",
	  "<132>1 2026-11-21T20:44:00.001Z ca.example scepterd 7 log [scepter@4711 "
	  "endpoint=\"demo\" days=\"90\"] \xef\xbb\xbf"
	  "enrolment rejected" },
	/* what would end a value is escaped, and nothing else is */
	{ "{\"time\":\"t\",\"level\":\"info\",\"program\":\"p\",\"msg\":\"m\","
	  "\"a\":\"\\\"]\\\\x\\ny\\u00e4\"}",
	  "<134>1 t ca.example p 7 log [scepter@4711 a=\"\\\"\\]\\\\x\ny\xc3\xa4\"] "
	  "\xef\xbb\xbfm" },
	/* nothing there, and an unknown level */
	{ "{}", "<134>1 - ca.example - 7 log [scepter@4711] \xef\xbb\xbf" },
	/* header words cannot be forged */
	{ "{\"time\":\"a b\\nc\",\"level\":\"error\",\"program\":\"p q\xc3\xa4\",\"msg\":\"m\"}",
	  "<131>1 a?b?c ca.example p?q?? 7 log [scepter@4711] \xef\xbb\xbfm" },
	{ "{\"level\":\"debug\",\"list\":[1],\"yes\":true,\"none\":null,\"msg\":7}",
	  "<135>1 - ca.example - 7 log [scepter@4711] \xef\xbb\xbf" },
};

static const struct row events[] = {
	{ "{\"id\":5,\"time\":\"2026-11-21T20:44:00Z\",\"kind\":\"enrol.issued\",\"ca\":\"demo\","
	  "\"detail\":\"[]\",\"hash\":\"00\"}",
	  "<133>1 2026-11-21T20:44:00Z ca.example scepterd 7 enrol.issued [scepter@4711 id=\"5\" "
	  "ca=\"demo\"] \xef\xbb\xbf"
	  "{\"id\":5,\"time\":\"2026-11-21T20:44:00Z\",\"kind\":\"enrol.issued\",\"ca\":\"demo\","
	  "\"detail\":\"[]\",\"hash\":\"00\"}" },
	{ "{\"kind\":\"a kind that is longer than 32 characters\"}",
	  "<133>1 - ca.example scepterd 7 a?kind?that?is?longer?than?32?ch [scepter@4711] "
	  "\xef\xbb\xbf{\"kind\":\"a kind that is longer than 32 characters\"}" },
};

typedef enum result put_fn(const struct syslog_origin *o, const json_t *value, struct buf *out,
			   struct err *err);

static void check(const struct row *rows, size_t n, put_fn *put)
{
	size_t i;

	for (i = 0; i < n; i++) {
		json_t *value = json_loads(rows[i].json, 0, NULL);
		BUF out = BUF_INIT;

		assert_non_null(value);
		assert_int_equal(put(&origin, value, &out, NULL), OK);
		assert_string_equal(buf_cstr(&out), rows[i].want);
		json_decref(value);
	}
}

static void lines_and_events(void **state)
{
	(void)state;
	check(lines, ARRAY_LEN(lines), syslog_put_line);
	check(events, ARRAY_LEN(events), syslog_put_event);
}

static void facilities(void **state)
{
	(void)state;
	assert_int_equal(syslog_facility("daemon"), 3);
	assert_int_equal(syslog_facility("local7"), 23);
	assert_true(syslog_facility("kern") < 0);
	assert_true(syslog_facility("") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_and_events),
		cmocka_unit_test(facilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
