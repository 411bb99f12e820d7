/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "config/passphrase.h"

static void sources(void **state)
{
	static const struct {
		const char *text;
		enum result want;
		enum passphrase_kind kind;
		const char *value;
	} rows[] = {
		{ "credential:scepter-keys", OK, PASSPHRASE_CREDENTIAL, "scepter-keys" },
		{ "file:/run/secrets/keys", OK, PASSPHRASE_FILE, "/run/secrets/keys" },
		{ "fd:7", OK, PASSPHRASE_FD, "7" },
		{ "prompt", OK, PASSPHRASE_PROMPT, NULL },
		{ "", ERR_USAGE, 0, NULL },
		{ "hunter2", ERR_USAGE, 0, NULL },
		{ "pass:hunter2", ERR_USAGE, 0, NULL },
		{ "prompt:", ERR_USAGE, 0, NULL },
		{ "prompter", ERR_USAGE, 0, NULL },
		{ "credential:", ERR_USAGE, 0, NULL },
		{ "credential:../../etc/shadow", ERR_USAGE, 0, NULL },
		{ "file:", ERR_USAGE, 0, NULL },
		{ "file:keys", ERR_USAGE, 0, NULL },
		{ "fd:", ERR_USAGE, 0, NULL },
		{ "fd:0", ERR_USAGE, 0, NULL },
		{ "fd:2", ERR_USAGE, 0, NULL },
		{ "fd:-3", ERR_USAGE, 0, NULL },
		{ "fd:7x", ERR_USAGE, 0, NULL },
		{ "fd:99999999999999999999", ERR_USAGE, 0, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct passphrase_source s = { .kind = PASSPHRASE_NONE };
		struct err err = { 0 };

		if (passphrase_parse(rows[i].text, &s, &err) != rows[i].want)
			fail_msg("\"%s\": %s", rows[i].text, err_text(&err));
		assert_int_equal(s.kind, rows[i].kind);
		if (rows[i].value)
			assert_string_equal(s.text, rows[i].value);
		/* it may have been the passphrase itself */
		assert_null(strstr(err.text, "hunter2"));
	}
}

static int pipe_with(struct span text)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], text.p, text.len), (ssize_t)text.len);
	(void)close(ends[1]);
	return ends[0];
}

static void first_lines(void **state)
{
	static const struct {
		struct span text;
		enum result want;
		struct span line;
	} rows[] = {
		{ SPAN_LIT("open sesame\n"), OK, SPAN_LIT("open sesame") },
		{ SPAN_LIT("open sesame"), OK, SPAN_LIT("open sesame") },
		{ SPAN_LIT("open sesame\r\n"), OK, SPAN_LIT("open sesame") },
		{ SPAN_LIT(" open sesame \nmore\n"), OK, SPAN_LIT(" open sesame ") },
		{ SPAN_LIT(""), ERR_CONFIG, SPAN_LIT("") },
		{ SPAN_LIT("\n"), ERR_CONFIG, SPAN_LIT("") },
		{ SPAN_LIT("\r\n"), ERR_CONFIG, SPAN_LIT("") },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct passphrase_source s = { .kind = PASSPHRASE_FD };
		SECRET got = SECRET_INIT;

		s.fd = pipe_with(rows[i].text);
		assert_int_equal(passphrase_read(&s, "passphrase", false, &got, NULL),
				 rows[i].want);
		assert_span_equal(secret_span(&got), rows[i].line);
		(void)close(s.fd);
	}
}

static void longest(void **state)
{
	struct passphrase_source s = { .kind = PASSPHRASE_FD };
	char text[PASSPHRASE_MAX];
	SECRET got = SECRET_INIT;

	(void)state;
	memset(text, 'x', sizeof(text));
	s.fd = pipe_with(SPAN_ARRAY(text));
	assert_int_equal(passphrase_read(&s, "passphrase", false, &got, NULL), ERR_CONFIG);
	(void)close(s.fd);
	s.fd = pipe_with(span_of(text, sizeof(text) - 1));
	assert_int_equal(passphrase_read(&s, "passphrase", false, &got, NULL), OK);
	assert_int_equal(secret_span(&got).len, sizeof(text) - 1);
	(void)close(s.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources),
		cmocka_unit_test(first_lines),
		cmocka_unit_test(longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
