/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "net/address.h"

static struct address address(const char *text)
{
	struct address_block block = { .bits = 0 };

	assert_int_equal(address_block_parse(text, &block, NULL), OK);
	assert_int_equal(block.bits, 128);
	return block.first;
}

static void blocks_that_are_none(void **state)
{
	static const char *const rows[] = {
		"",
		"/",
		"/24",
		"192.0.2",
		"192.0.2.256",
		"192.0.2.0/",
		"192.0.2.0/33",
		"192.0.2.0/-1",
		"192.0.2.0/+8",
		"192.0.2.0/024",
		"192.0.2.0/24/24",
		"192.0.2.0/24 ",
		" 192.0.2.0/24",
		"192.0.2.0/255.255.255.0",
		"192.0.2.0/99999999999999999999",
		"192.0.2.1/24",
		"0.0.0.1/0",
		"2001:db8::/129",
		"2001:db8::1/32",
		"2001:db8::g/32",
		"fe80::1%eth0",
		"ALL",
		"router7.example",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333:4444:5555/64",
	};
	struct address_block block;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++)
		if (address_block_parse(rows[i], &block, NULL) != ERR_SYNTAX)
			fail_msg("\"%s\" was taken", rows[i]);
}

/* Held against Python's ipaddress. */
static void blocks_have_what_is_in_them(void **state)
{
	static const struct {
		const char *block;
		const char *address;
		bool has;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.4/30", "192.0.2.7", true },
		{ "192.0.2.4/30", "192.0.2.8", false },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1/32", "192.0.2.0", false },
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", true },
		{ "all", "2001:db8::1", true },
		{ "all", "192.0.2.1", true },
		{ "2001:db8::/32", "2001:db8:ffff::1", true },
		{ "2001:db8::/32", "2001:db9::", false },
		{ "2001:db8:0:8000::/49", "2001:db8:0:7fff::1", false },
		{ "::ffff:192.0.2.0/120", "192.0.2.9", true },
		{ "192.0.2.0/24", "::ffff:192.0.2.9", true },
		{ "2001:db8::1", "2001:db8::1", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct address a = address(rows[i].address);
		struct address_block block;

		assert_int_equal(address_block_parse(rows[i].block, &block, NULL), OK);
		if (address_block_has(&block, &a) != rows[i].has)
			fail_msg("%s in %s", rows[i].address, rows[i].block);
	}
}

static void sockets_there_and_back(void **state)
{
	static const struct {
		const char *text;
		size_t key; /* octets that tell hosts apart */
	} rows[] = { { "192.0.2.1", 16 }, { "2001:db8::1", 8 }, { "::1", 8 }, { "0.0.0.0", 16 } };
	struct sockaddr_storage from = { .ss_family = AF_UNIX };
	struct address a, back;
	char text[ADDRESS_TEXT_MAX];
	uint16_t port = 0;
	size_t i;

	(void)state;
	assert_false(address_of_socket(&from, &a, &port));
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		a = address(rows[i].text);
		address_to_socket(&a, 4711, &from);
		assert_true(address_of_socket(&from, &back, &port));
		assert_memory_equal(&a, &back, sizeof(a));
		assert_int_equal(port, 4711);
		address_format(&back, text);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(address_key(&a).len, rows[i].key);
		assert_false(address_is_none(&a));
	}
}

static void ipv4_sockets(void **state)
{
	struct sockaddr_storage from = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&from;
	struct address a, want = address("192.0.2.7");
	uint16_t port = 0;

	(void)state;
	in->sin_family = AF_INET;
	in->sin_port = htons(80);
	assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &in->sin_addr), 1);
	assert_true(address_of_socket(&from, &a, &port));
	assert_memory_equal(&a, &want, sizeof(a));
	assert_int_equal(port, 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_that_are_none),
		cmocka_unit_test(blocks_have_what_is_in_them),
		cmocka_unit_test(sockets_there_and_back),
		cmocka_unit_test(ipv4_sockets),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
