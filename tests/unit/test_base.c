/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

/* Against the C library's calendar: each day of 400 years, and where leap days and years end. */
static void times_are_those_of_the_calendar(void **state)
{
	static const int64_t rows[] = {
		0,           86399,        951782399,      951782400,    951868799,    951868800,
		4107542399,  4107542400,   13574563200,    253402300799, 253402300800, -1,
		-2208988800, -62135596800, 32503680000000,
	};
	char text[CLOCK_TEXT_MAX], want[CLOCK_TEXT_MAX];
	int64_t t;
	struct tm tm;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows) + 146097; i++) {
		t = i < ARRAY_LEN(rows) ? rows[i]
					: (int64_t)i * 86400 + (int64_t)(i * 7919 % 86400);
		(void)gmtime_r(&(time_t){ (time_t)t }, &tm);
		(void)strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
		clock_format(t, text);
		assert_string_equal(text, want);
	}
}

/* As long as there is room, as long as there is not, and where it just fits. */
static void printing_makes_room(void **state)
{
	static const char long_one[] = "0123456789abcdef0123456789abcdef";
	size_t taken;

	(void)state;
	for (taken = 0; taken <= 256; taken++) {
		BUF b = BUF_INIT;

		while (b.len < taken)
			buf_put_byte(&b, '.');
		buf_printf(&b, "%s/%d", long_one, 7);
		assert_int_equal(buf_check(&b, NULL), OK);
		assert_int_equal(b.len, taken + 34);
		assert_memory_equal(b.data + taken, "0123456789abcdef0123456789abcdef/7", 34);
	}
}

static void expect_written(const char *path, const char *const msgs[], size_t n)
{
	BUF text = BUF_INIT;
	const char *at;
	size_t i;

	assert_int_equal(file_read(path, 1 << 20, &text, NULL), OK);
	at = buf_cstr(&text);
	for (i = 0; i < n; i++) {
		at = strstr(at, msgs[i]);
		assert_non_null(at);
		at = strchr(at, '\n');
		assert_non_null(at++);
	}
	assert_string_equal(at, "");
}

/* Lines that are held stand in the file when they are written out, in order, and none is lost. */
static void held_lines(void **state)
{
	static const char *const msgs[] = { "\"elsewhere\"", "\"one\"",  "\"two\"",  "\"bad\"",
					    "\"huge\"",      "\"last\"", "\"after\"" };
	char path[] = "/tmp/scepter-log-XXXXXX", huge[LOG_LINES_MAX + 1];
	struct log_sink *sink = NULL;
	int fd = mkstemp(path);
	struct log_lines lines;
	struct log log, other;

	(void)state;
	memset(huge, 'x', sizeof(huge));
	assert_int_equal(log_sink_new(&sink, fd, "t", LOG_LEVEL_INFO, NULL), OK);
	log_init(&log, sink);
	other = log;
	log_lines_init(&lines);
	log_hold(&log, &lines);
	log_info(&log, "one");
	expect_written(path, NULL, 0);
	log_info(&log, "two");
	log_info(&other, "elsewhere");
	expect_written(path, msgs, 1);
	log_warning(&log, "bad");
	expect_written(path, msgs, 4);
	log_info(&log, "huge", LOG_SPAN("text", SPAN_ARRAY(huge)));
	expect_written(path, msgs, 5);
	log_info(&log, "last");
	expect_written(path, msgs, 5);
	log_lines_write(&lines);
	log_lines_write(&lines);
	expect_written(path, msgs, 6);
	log_hold(&log, NULL);
	log_info(&log, "after");
	expect_written(path, msgs, 7);
	log_sink_free(sink);
	close(fd);
	unlink(path);
}

/* More than there is room for: all that was held before goes first. */
static void many_held_lines(void **state)
{
	char path[] = "/tmp/scepter-log-XXXXXX", want[32];
	struct log_sink *sink = NULL;
	int fd = mkstemp(path), i;
	struct log_lines lines;
	BUF text = BUF_INIT;
	struct log log;
	const char *at;

	(void)state;
	assert_int_equal(log_sink_new(&sink, fd, "t", LOG_LEVEL_INFO, NULL), OK);
	log_init(&log, sink);
	log_lines_init(&lines);
	log_hold(&log, &lines);
	for (i = 0; i < 100; i++)
		log_info(&log, "many", LOG_INT("n", i));
	log_lines_write(&lines);
	assert_int_equal(file_read(path, 1 << 20, &text, NULL), OK);
	at = buf_cstr(&text);
	for (i = 0; i < 100; i++) {
		(void)snprintf(want, sizeof(want), "\"n\":%d}\n", i);
		at = strstr(at, want);
		assert_non_null(at);
		at += strlen(want);
	}
	assert_string_equal(at, "");
	log_sink_free(sink);
	close(fd);
	unlink(path);
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
		cmocka_unit_test(times_are_those_of_the_calendar),
		cmocka_unit_test(printing_makes_room),
		cmocka_unit_test(held_lines),
		cmocka_unit_test(many_held_lines),
		cmocka_unit_test(log_line_is_json_whatever_comes),
		cmocka_unit_test(percent_rows),
		cmocka_unit_test(secret_is_first_line),
		cmocka_unit_test(err_carries_its_story),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
