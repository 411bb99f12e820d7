/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "est/shared_keys.h"
#include "pki/name.h"

#define K16 "000102030405060708090a0b0c0d0e0f"

static char path[] = "/tmp/test-est-shared-keys.XXXXXX";

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const char *text)
{
	assert_int_equal(file_write_atomic(path, 0600, span_str(text), NULL), OK);
}

static void lines(void **state)
{
	static const struct {
		const char *text;
		enum result want;
		const char *says;
	} rows[] = {
		{ "", OK, NULL },
		{ "\n\n  \n# none yet\n", OK, NULL },
		{ "aa " K16 " *", OK, NULL },
		{ "  aa\t" K16 "  CN=a b, O=c \r\n", OK, NULL },
		{ "aa " K16 K16 " *\nbb " K16 " CN=a\n", OK, NULL },
		{ "aa", ERR_CONFIG, "line 1: the key" },
		{ "aa *", ERR_CONFIG, "line 1: the key" },
		{ "aa " K16 "00 *", ERR_CONFIG, "line 1: the key" },
		{ "aa " K16, ERR_CONFIG, "line 1: the subject" },
		{ "aa " K16 " \t \n", ERR_CONFIG, "line 1: the subject" },
		{ "aa " K16 " nobody", ERR_CONFIG, "line 1" },
		{ "aa " K16 " *\n\nxx " K16 " *", ERR_CONFIG, "line 3: the identifier" },
		{ "a " K16 " *", ERR_CONFIG, "line 1: the identifier" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };

		write_file(rows[i].text);
		assert_int_equal(est_shared_keys_check(path, &err), rows[i].want);
		if (rows[i].says)
			assert_non_null(strstr(err_text(&err), rows[i].says));
		assert_null(strstr(err_text(&err), K16));
	}
}

static enum result find(const char *id, const char *subject, struct secret *out)
{
	BUF octets = unit_hex(id);
	BUF name = BUF_INIT;

	assert_int_equal(name_parse_text(subject, &name, NULL), OK);
	return est_shared_keys_find(path, buf_span(&octets), buf_span(&name), out, NULL);
}

static void who_may_use_which(void **state)
{
	static const struct {
		const char *id;
		const char *subject;
		enum result want;
		uint8_t first;
	} rows[] = {
		{ "aa", "CN=a", OK, 0x01 },
		{ "AA", "CN=b", ERR_NOT_FOUND, 0 },
		{ "bb", "CN=b", OK, 0x02 },
		{ "cc", "CN=a", ERR_NOT_FOUND, 0 },
		{ "", "CN=a", ERR_NOT_FOUND, 0 },
		{ "aa00", "CN=a", ERR_NOT_FOUND, 0 },
		/* the same identifier for two */
		{ "dd", "CN=a", OK, 0x03 },
		{ "dd", "CN=b", OK, 0x04 },
	};
	size_t i;

	(void)state;
	write_file("aa 01000000000000000000000000000000 CN=a\n"
		   "bb 02000000000000000000000000000000 *\n"
		   "dd 03000000000000000000000000000000 CN=a\n"
		   "dd 04000000000000000000000000000000 *\n");
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		SECRET key = SECRET_INIT;

		assert_int_equal(find(rows[i].id, rows[i].subject, &key), rows[i].want);
		if (rows[i].want == OK)
			assert_int_equal(secret_span(&key).p[0], rows[i].first);
	}
}

static void everybody_could_read_it(void **state)
{
	struct err err = { 0 };
	SECRET key = SECRET_INIT;

	(void)state;
	write_file("aa " K16 " *\n");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(est_shared_keys_check(path, &err), ERR_CONFIG);
	assert_non_null(strstr(err_text(&err), "0644"));
	assert_int_equal(find("aa", "CN=a", &key), ERR_CONFIG);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(find("aa", "CN=a", &key), OK);
	assert_int_not_equal(est_shared_keys_check("/nowhere/at/all", &err), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(who_may_use_which),
		cmocka_unit_test(everybody_could_read_it),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
