/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry of an allow-list names, what a request says, and lists as CSV. */
#include "unit.h"

#include "ca/device_csv.h"
#include "der/oid.h"
#include "pki/name.h"
#include "pki/san.h"

static void types(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: refused */
	} rows[] = {
		{ "serialNumber", "serialNumber" },
		{ "SERIALNUMBER", "serialNumber" },
		{ "2.5.4.5", "serialNumber" },
		{ "cn", "CN" },
		{ "mac", "MAC" },
		{ "Mac", "MAC" },
		{ "dns", "DNS" },
		{ "IP", "IP" },
		{ "uri", "URI" },
		{ "Email", "email" },
		{ "emailAddress", "emailAddress" },
		{ "upn", "UPN" },
		{ "rid", "RID" },
		{ "1.3.6.1.4.1.9.9", "1.3.6.1.4.1.9.9" },
		{ "", NULL },
		{ "serial", NULL },
		{ "dirName", NULL },
		{ "otherName", NULL },
		{ "1.2.3.", NULL },
		{ "9.9.9", NULL },
		{ "CN ", NULL },
		{ "2.5.4.5\n", NULL },
	};
	char type[STORE_NAME_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		enum result r = device_type_parse(span_str(rows[i].text), type, NULL);

		if ((r == OK) != (rows[i].want != NULL) ||
		    (r == OK && strcmp(type, rows[i].want) != 0))
			fail_msg("\"%s\": %s", rows[i].text, r == OK ? type : err_name(r));
	}
}

static void values(void **state)
{
	static const struct {
		const char *type;
		const char *value;
		const char *want;
	} rows[] = {
		{ "serialNumber", "FTX1234abcd", "ftx1234abcd" },
		{ "CN", "Gerät 7", "gerät 7" },
		{ "MAC", "00:1A:2b:3C:4d:5E", "001a2b3c4d5e" },
		{ "MAC", "00-1A-2b-3C-4d-5E", "001a2b3c4d5e" },
		{ "MAC", "001A.2b3C.4d5E", "001a2b3c4d5e" },
		{ "MAC", "001A2b-3C4d5E", "001a2b3c4d5e" },
		{ "MAC", "001A2b3C4d5E", "001a2b3c4d5e" },
		{ "MAC", "00:1A:2b:3C:4d", NULL },
		{ "MAC", "00:1A:2b:3C:4d:5E:6F", NULL },
		{ "MAC", "00:1A:2b:3C:4d:5E:", NULL },
		{ "MAC", ":00:1A:2b:3C:4d:5E", NULL },
		{ "MAC", "00::1A2b:3C:4d:5E", NULL },
		{ "MAC", "00:1A-2b:3C:4d:5E", NULL },
		{ "MAC", "0:01A2b:3C:4d:5E", NULL },
		{ "MAC", "00 1A 2b 3C 4d 5E", NULL },
		{ "MAC", "001A2b3C4d5g", NULL },
		{ "MAC", "", NULL },
		{ "IP", "192.0.2.1", "192.0.2.1" },
		{ "IP", "2001:DB8:0:0::1", "2001:db8::1" },
		{ "IP", "192.0.2", NULL },
		{ "IP", "192.0.2.0/24", NULL },
		{ "RID", "1.2.3", "1.2.3" },
		{ "RID", "x", NULL },
		{ "DNS", "R7.Example", "r7.example" },
		{ "DNS", "", NULL },
		{ "CN", "a\nb", NULL },
		{ "CN", "a\x7f", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF key = BUF_INIT;
		enum result r = device_put_key(rows[i].type, span_str(rows[i].value), &key, NULL);

		if ((r == OK) != (rows[i].want != NULL) ||
		    (r == OK && !span_eq_str(buf_span(&key), rows[i].want)))
			fail_msg("%s \"%s\": %s", rows[i].type, rows[i].value, err_name(r));
	}
}

static void put_sans(struct buf *exts, const char *const *names)
{
	size_t ext = der_open(exts, DER_SEQUENCE), value, list;

	der_put_oid(exts, OID_SUBJECT_ALT_NAME);
	value = der_open(exts, DER_OCTET_STRING);
	list = der_open(exts, DER_SEQUENCE);
	for (; *names; names++)
		assert_int_equal(san_parse_text(*names, exts, NULL), OK);
	der_close(exts, list);
	der_close(exts, value);
	der_close(exts, ext);
}

static void requests_say_all_that_could_be_listed(void **state)
{
	static const char *const sans[] = { "DNS:R7.example", "IP:192.0.2.7",
					    "DNS:00-1a-2b-3c-4d-5e", NULL };
	static const char *const want[] = {
		"CN=001a2b3c4d5e", "MAC=001a2b3c4d5e", "serialNumber=ftx1",     "1.2.3.4=x",
		"DNS=r7.example",  "IP=192.0.2.7",     "DNS=00-1a-2b-3c-4d-5e", "MAC=001a2b3c4d5e",
	};
	CLEANUP(device_keys_clear) struct device_keys keys = { .n = 0 };
	BUF subject = BUF_INIT, exts = BUF_INIT;
	size_t i, j;

	(void)state;
	assert_int_equal(
	    name_parse_text("CN=001A2B3C4D5E,serialNumber=FTX1,1.2.3.4=X", &subject, NULL), OK);
	put_sans(&exts, sans);
	assert_int_equal(device_keys_read(&keys, buf_span(&subject), buf_span(&exts), NULL), OK);
	assert_int_equal(keys.n, ARRAY_LEN(want));
	for (i = 0; i < ARRAY_LEN(want); i++) {
		for (j = 0; j < keys.n; j++) {
			char text[128];

			(void)snprintf(text, sizeof(text), "%s=%.*s", keys.keys[j].type,
				       (int)keys.keys[j].key.len, (const char *)keys.keys[j].key.p);
			if (strcmp(text, want[i]) == 0)
				break;
		}
		if (j == keys.n)
			fail_msg("%s is not said", want[i]);
	}
	keys.n = 9;
	assert_int_equal(device_keys_read(&keys, SPAN_NONE, SPAN_LIT("\x30\x80\xff"), NULL), OK);
}

static void good_files(void **state)
{
	static const struct {
		const char *text;
		bool once;
		const char *want; /* type=key/value/use/note@line */
	} rows[] = {
		{ "type,value\nCN,r7\nMAC,00:1A:2B:3C:4D:5E\n", false,
		  "CN=r7/r7/ever/@2 MAC=001a2b3c4d5e/00:1A:2B:3C:4D:5E/ever/@3 " },
		{ "serialNumber\nFTX1\nFTX2", true,
		  "serialNumber=ftx1/FTX1/once/@2 "
		  "serialNumber=ftx2/FTX2/once/@3 " },
		{ "\xef\xbb\xbfserialNumber;use;note\r\nFTX1;once;Branch 7\r\nFTX2;EVER;\r\n", true,
		  "serialNumber=ftx1/FTX1/once/Branch 7@2 serialNumber=ftx2/FTX2/ever/@3 " },
		{ "note, Value ,TYPE,use\n\"a, \"\"b\"\"\nc\", r7 ,cn,\n\n\nx,r8,CN,once\n", false,
		  "CN=r7/r7/ever/a, \"b\"\nc@2 CN=r8/r8/once/x@6 " },
		{ "CN\nr7\n\"r8\"\n", false, "CN=r7/r7/ever/@2 CN=r8/r8/ever/@3 " },
		{ "CN,use\n", false, "" },
		{ "CN,use", false, "" },
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(device_csv_clear) struct device_csv csv = { .n = 0 };
		const struct device_csv_options options = { .once = rows[i].once };
		struct err err = { 0 };
		BUF got = BUF_INIT;

		if (device_csv_parse(&csv, span_str(rows[i].text), &options, NULL, &err) != OK)
			fail_msg("row %zu: %s", i, err_text(&err));
		for (j = 0; j < csv.n; j++) {
			const struct store_device_entry *e = &csv.entries[j];

			buf_printf(&got, "%s=%.*s/%.*s/%s/%.*s@%zu ", e->type, (int)e->key.len,
				   (const char *)e->key.p, (int)e->value.len,
				   (const char *)e->value.p, e->once ? "once" : "ever",
				   (int)e->note.len, (const char *)e->note.p, e->line);
		}
		if (!span_eq_str(buf_span(&got), rows[i].want))
			fail_msg("row %zu: %s", i, buf_cstr(&got));
	}
}

static void bad_files(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ "", "line 1: column 1: \"\" is no type" },
		{ "FTX1\nFTX2\n", "line 1: column 1: \"FTX1\" is no type" },
		{ "type\nCN\n", "line 1: must name the columns" },
		{ "value\nr7\n", "line 1: must name the columns" },
		{ "type,CN\nCN,r7\n", "line 1: must name the columns" },
		{ "CN,CN\nr7,r8\n", "line 1: must name the columns" },
		{ "CN,MAC\nr7,00:1A:2B:3C:4D:5E\n", "line 1: must name the columns" },
		{ "CN,use,use\n", "line 1: must name the columns" },
		{ "CN,price\nr7,1\n", "line 1: column 2: \"price\" is no type" },
		{ "CN,use\nr7\n", "line 2: 1 columns, the first line has 2\n" },
		{ "CN,use\nr7,once,x\n", "line 2: 3 columns, the first line has 2\n" },
		{ "CN,use\nr7,twice\n", "line 2: use must be once or ever\n" },
		{ "type,value\nCN,r7\nserial,x\nMAC,y\n",
		  "line 3: \"serial\" is no type: write MAC, an attribute such as serialNumber or "
		  "CN or a dotted OID, or a kind of alternative name: DNS, IP, URI, email, UPN, "
		  "RID\nline 4: \"y\" is no value of type MAC\n" },
		{ "CN\n\"r7\n", "line 2: a quote is opened and never closed\n" },
		{ "CN\n\"r7\"x\nr8\n", "line 2: text behind a closing quote" },
		{ "CN\nr7\nr8\nR7\n", "line 4: the same device as in line 2\n" },
		{ "type,value\nMAC,00:1A:2B:3C:4D:5E\nMAC,001a.2b3c.4d5e\n",
		  "line 3: the same device as in line 2\n" },
		{ "CN,note\n,x\n", "line 2: \"\" is no value of type CN\n" },
		{ "CN\na\rb\n", "line 2: text behind a closing quote" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct device_csv_options options = { .once = false };
		struct device_csv csv = { .n = 77 };
		struct err err = { 0 };
		BUF complaints = BUF_INIT;
		enum result r =
		    device_csv_parse(&csv, span_str(rows[i].text), &options, &complaints, &err);

		if (r != ERR_SYNTAX || !buf_cstr(&complaints) ||
		    strncmp(buf_cstr(&complaints), rows[i].want, strlen(rows[i].want)) != 0)
			fail_msg("row %zu: %s: %s", i, err_name(r), buf_cstr(&complaints));
		assert_int_equal(csv.n, 77);
		assert_int_equal(strncmp(err_text(&err), rows[i].want, 20), 0);
	}
}

static void count_progress(void *ctx, size_t lines)
{
	size_t *times = ctx;

	assert_true(lines >= 10000);
	++*times;
}

static void large_files_and_endless_complaints(void **state)
{
	size_t times = 0, i, lines = 0;
	const struct device_csv_options options = { .progress = count_progress, .ctx = &times };
	CLEANUP(device_csv_clear) struct device_csv csv = { .n = 0 };
	BUF file = BUF_INIT, bad = BUF_INIT, complaints = BUF_INIT;

	(void)state;
	buf_put_str(&file, "serialNumber\n");
	buf_put_str(&bad, "MAC\n");
	for (i = 0; i < 100000; i++) {
		buf_printf(&file, "FTX%06zu\n", i);
		buf_printf(&bad, "x%zu\n", i);
	}
	assert_int_equal(device_csv_parse(&csv, buf_span(&file), &options, NULL, NULL), OK);
	assert_int_equal(csv.n, 100000);
	assert_int_equal(times, 10);
	assert_int_equal(csv.entries[99999].line, 100001);
	assert_true(span_eq_str(csv.entries[99999].key, "ftx099999"));
	assert_int_equal(device_csv_parse(&csv, buf_span(&bad), &options, &complaints, NULL),
			 ERR_SYNTAX);
	for (i = 0; i < complaints.len; i++)
		lines += complaints.data[i] == '\n';
	assert_int_equal(lines, 21);
	assert_non_null(strstr(buf_cstr(&complaints), "... and 99980 more\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types),
		cmocka_unit_test(values),
		cmocka_unit_test(requests_say_all_that_could_be_listed),
		cmocka_unit_test(good_files),
		cmocka_unit_test(bad_files),
		cmocka_unit_test(large_files_and_endless_complaints),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
