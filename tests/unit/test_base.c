/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/percent.h"
#include "base/secret.h"

static void base64_rows(void **state)
{
	static const struct {
		const char *in;
		enum result want;
		const char *out;
	} rows[] = {
		{ "", OK, "" },
		{ "Zg==", OK, "f" },
		{ "Zg", OK, "f" },
		{ "Zm8=", OK, "fo" },
		{ "Zm9v", OK, "foo" },
		{ "Zm9v\nYmFy\r\n", OK, "foobar" },
		{ " Zm 9v ", OK, "foo" },
		{ "-_-_", OK, "\xfb\xff\xbf" },
		{ "+/+/", OK, "\xfb\xff\xbf" },
		{ "Zg===", ERR_SYNTAX, NULL },
		{ "Zg=x", ERR_SYNTAX, NULL },
		{ "Z", ERR_SYNTAX, NULL },
		{ "Zm9v!", ERR_SYNTAX, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF out = BUF_INIT;
		struct err err = { 0 };

		assert_int_equal(base64_parse(span_str(rows[i].in), &out, &err), rows[i].want);
		if (rows[i].out)
			assert_true(span_eq_str(buf_span(&out), rows[i].out));
		else
			assert_int_equal(out.len, 0);
	}
}

static void base64_writes_columns(void **state)
{
	BUF out = BUF_INIT;
	uint8_t bytes[60] = { 0 };

	(void)state;
	base64_put(&out, SPAN_ARRAY(bytes), 64);
	assert_int_equal(out.len, 82);
	assert_int_equal(out.data[64], '\n');
	assert_int_equal(out.data[81], '\n');
}

static void hex_rows(void **state)
{
	BUF out = BUF_INIT;
	BUF text = BUF_INIT;

	(void)state;
	assert_int_equal(hex_parse(SPAN_LIT("DE:ad be ef"), &out, NULL), OK);
	hex_put(&text, buf_span(&out));
	assert_true(span_eq_str(buf_span(&text), "deadbeef"));
	assert_int_equal(hex_parse(SPAN_LIT("abc"), &out, NULL), ERR_SYNTAX);
	assert_int_equal(hex_parse(SPAN_LIT("zz"), &out, NULL), ERR_SYNTAX);
	assert_int_equal(out.len, 4);
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} rows[] = {
		{ "0s", 0 },        { "90s", 90 },      { "15m", 900 }, { "24h", 86400 },
		{ "30d", 2592000 }, { "2y", 63072000 }, { "", -1 },     { "d", -1 },
		{ "5", -1 },        { "-1d", -1 },      { "1dd", -1 },  { "99999999999y", -1 }
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t got = -1;
		enum result r = clock_parse_duration(rows[i].text, &got, NULL);

		assert_int_equal(r, rows[i].want < 0 ? ERR_SYNTAX : OK);
		assert_int_equal(got, rows[i].want);
	}
}

static void clock_can_be_set(void **state)
{
	struct clock c = CLOCK_SYSTEM;
	char text[CLOCK_TEXT_MAX];

	(void)state;
	clock_fix(&c, 1000000000);
	assert_int_equal(clock_now(&c), 1000000000);
	clock_format(clock_now(&c), text);
	assert_string_equal(text, "2001-09-09T01:46:40Z");
	clock_fix(&c, 0);
	clock_shift(&c, 86400);
	assert_true(clock_now(&c) > clock_now(NULL) + 86000);
}

static void log_line_is_json_whatever_comes(void **state)
{
	char path[] = "/tmp/scepter-log-XXXXXX";
	struct log_sink *sink = NULL;
	int fd = mkstemp(path);
	BUF text = BUF_INIT;
	struct log log;

	(void)state;
	assert_int_equal(log_sink_new(&sink, fd, "t", LOG_LEVEL_INFO, NULL), OK);
	log_init(&log, sink);
	log_bind(&log, LOG_STR("transactionID", "a\"b"));
	log_debug(&log, "not written");
	log_info(&log, "x", LOG_SPAN("s", SPAN_LIT("\x01\xff\\")), LOG_INT("n", -5),
		 LOG_HEX("h", SPAN_LIT("\xab")));
	assert_int_equal(file_read(path, 4096, &text, NULL), OK);
	assert_non_null(
	    strstr(buf_cstr(&text),
		   "\"msg\":\"x\",\"transactionID\":\"a\\\"b\",\"s\":\"\\u0001\\u00ff\\\\\","
		   "\"n\":-5,\"h\":\"ab\"}\n"));
	assert_null(strstr(buf_cstr(&text), "not written"));
	log_sink_free(sink);
	close(fd);
	unlink(path);
}

static void percent_rows(void **state)
{
	static const struct {
		const char *in;
		enum result want;
		const char *out;
	} rows[] = {
		{ "a%20b+c", OK, "a b+c" }, { "%2f%2F", OK, "//" },   { "", OK, "" },
		{ "%", ERR_SYNTAX, "" },    { "%1", ERR_SYNTAX, "" }, { "%1g", ERR_SYNTAX, "" },
		{ "%%41", ERR_SYNTAX, "" },
	};
	BUF all = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF out = BUF_INIT;

		assert_int_equal(percent_parse(span_str(rows[i].in), &out, NULL), rows[i].want);
		assert_true(span_eq_str(buf_span(&out), rows[i].out));
	}
	percent_put(&all, SPAN_LIT("aZ0-._~ /+\xff\0"));
	assert_true(span_eq_str(buf_span(&all), "aZ0-._~%20%2F%2B%FF%00"));
}

static void secret_is_first_line(void **state)
{
	char path[] = "/tmp/scepter-secret-XXXXXX";
	SECRET
	s = SECRET_INIT;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "pass word\r\nmore\n", 16), 16);
	close(fd);
	assert_int_equal(secret_read_file(&s, path, 64, NULL), OK);
	assert_true(secret_eq(&s, SPAN_LIT("pass word")));
	assert_false(secret_eq(&s, SPAN_LIT("pass worD")));
	assert_int_equal(secret_read_file(&s, path, 4, NULL), ERR_LIMIT);
	unlink(path);
	assert_int_equal(secret_read_file(&s, path, 64, NULL), ERR_NOT_FOUND);
}

static void err_carries_its_story(void **state)
{
	struct err err = { 0 };
	enum result r = err_set(&err, ERR_SYNTAX, "tag 0x%02x", 5);

	(void)state;
	r = err_prefix(&err, r, "CSR");
	assert_int_equal(r, ERR_SYNTAX);
	assert_string_equal(err_text(&err), "CSR: tag 0x05");
	assert_int_equal(err_map(ERR_BAD_CHECK)->scep_fail_info, 1);
}

static void lines(void **state)
{
	static const struct {
		struct span text;
		const char *want;
	} rows[] = {
		{ SPAN_NONE, "" },
		{ SPAN_LIT("a word"), "a word" },
		{ SPAN_LIT("two\r\nlines\n\n"), "two  lines" },
		{ SPAN_LIT("\x1b[31mred\0"), " [31mred" },
		{ SPAN_LIT("gr\xc3\xbcn"), "gr  n" },
		{ SPAN_LIT("0123456789 and more"), "0123456789" },
		{ SPAN_LIT(" \n "), "" },
	};
	char text[12];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		memset(text, 'x', sizeof(text));
		span_line(rows[i].text, text, sizeof(text));
		assert_string_equal(text, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(base64_rows),
		cmocka_unit_test(base64_writes_columns),
		cmocka_unit_test(hex_rows),
		cmocka_unit_test(durations),
		cmocka_unit_test(clock_can_be_set),
		cmocka_unit_test(log_line_is_json_whatever_comes),
		cmocka_unit_test(percent_rows),
		cmocka_unit_test(secret_is_first_line),
		cmocka_unit_test(err_carries_its_story),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
