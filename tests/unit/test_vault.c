/* SPDX-License-Identifier: Apache-2.0 */
/* How keys are kept: in files, plain or encrypted, and by records of what hardware holds. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "keeper/protect.h"
#include "keeper/vault.h"

static const struct key_spec p256 = { KEY_EC_P256, 256 };

struct fixture {
	char directory[64];
	struct secret passphrase;
	struct secret other;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test-vault-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	assert_int_equal(secret_set(&f->passphrase, SPAN_LIT("open sesame"), NULL), OK);
	assert_int_equal(secret_set(&f->other, SPAN_LIT("open barley"), NULL), OK);
	*state = f;
	return 0;
}

static void path_of(const struct fixture *f, const char *name, char out[128])
{
	(void)snprintf(out, 128, "%s/%s", f->directory, name);
}

static int tear_down(void **state)
{
	static const char *const names[] = { "a.key", "b.key", "c.key", "t.token" };
	struct fixture *f = *state;
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		path_of(f, names[i], path);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->directory), 0);
	secret_clear(&f->passphrase);
	secret_clear(&f->other);
	free(f);
	return 0;
}

static struct vault *open_with(const struct fixture *f, const struct secret *passphrase)
{
	const struct vault_config config = { .directory = f->directory, .passphrase = passphrase };
	struct vault *v = NULL;

	assert_int_equal(vault_open(&v, &config, NULL), OK);
	return v;
}

static void make(const struct fixture *f, const char *id, const struct secret *passphrase)
{
	CLEANUP(vault_freep) struct vault *v = open_with(f, passphrase);
	CLEANUP(kept_key_clear) struct kept_key k = { 0 };
	BUF store = BUF_INIT;

	assert_int_equal(vault_make(v, id, SPAN_NONE, p256, &k, NULL), OK);
	assert_int_equal(vault_save(v, id, &k, NULL), OK);
	assert_int_equal(kept_key_check(&k, NULL), OK);
	assert_int_equal(kept_key_store(&k, &store, NULL), OK);
	assert_span_equal(buf_span(&store), SPAN_LIT("file"));
}

static enum result load(const struct fixture *f, const char *name, const struct secret *passphrase,
			size_t *plain, struct err *err)
{
	CLEANUP(vault_freep) struct vault *v = open_with(f, passphrase);
	CLEANUP(kept_key_clear) struct kept_key k = { 0 };
	enum result r = vault_load(v, name, &k, err);

	if (plain)
		*plain = vault_count_plain(v);
	return r;
}

static void files_plain_and_encrypted(void **state)
{
	const struct fixture *f = *state;
	struct err err = { 0 };
	size_t plain = 9;

	make(f, "a", NULL);
	assert_false(protect_has_sealed(f->directory));
	make(f, "b", &f->passphrase);
	assert_true(protect_has_sealed(f->directory));
	assert_int_equal(load(f, "a.key", NULL, &plain, NULL), OK);
	assert_int_equal(plain, 1);
	assert_int_equal(load(f, "a.key", &f->passphrase, NULL, NULL), OK);
	assert_int_equal(load(f, "b.key", &f->passphrase, &plain, NULL), OK);
	assert_int_equal(plain, 0);
	assert_int_equal(load(f, "b.key", &f->other, NULL, &err), ERR_DENIED);
	assert_non_null(strstr(err.text, "the passphrase of keys.passphrase is not its"));
	assert_int_equal(load(f, "b.key", NULL, NULL, &err), ERR_DENIED);
	assert_non_null(strstr(err.text, "set keys.passphrase"));
}

static void files_for_others_to_read(void **state)
{
	const struct fixture *f = *state;
	char path[128];

	make(f, "a", NULL);
	path_of(f, "a.key", path);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(load(f, "a.key", NULL, NULL, NULL), ERR_CONFIG);
}

static void names_of_files(void **state)
{
	static const struct {
		const char *name;
		const char *id; /* NULL: no key's */
	} rows[] = {
		{ "demo.key", "demo" }, { "demo.token", "demo" }, { ".key", "" },
		{ "demo.rule", NULL },  { "demo.key.tmp", NULL }, { "key", NULL },
		{ "", NULL },           { "demo.tokens", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct span id = SPAN_NONE;

		assert_int_equal(vault_is_key_file(rows[i].name, &id), rows[i].id != NULL);
		if (rows[i].id)
			assert_span_equal(id, span_str(rows[i].id));
	}
}

/* Of a token without its module, of nothing, of a TPM without its key. */
static void records_that_are_refused(void **state)
{
#define SPKI                                                                                       \
	"302a300506032b6570032100c8fabc5c694adfd14ce1de4cc9d5c5bf4b8eb89f8b611b643ce0730e92fa01ed"
	static const struct {
		const char *text;
		enum result want;
		const char *says;
	} rows[] = {
		{ "uri pkcs11:token=t\npublic " SPKI "\n", ERR_CONFIG, "keys.pkcs11.module" },
		{ "uri tpm:\npublic " SPKI "\n", ERR_CONFIG, "keys.tpm.tcti" },
		{ "uri vault:x\npublic " SPKI "\n", ERR_USAGE, "no place for a key" },
		{ "uri pkcs11:token=t?pin-value=1234\npublic " SPKI "\n", ERR_USAGE, "pin-value" },
		{ "", ERR_SYNTAX, "missing" },
	};
	const struct fixture *f = *state;
	char path[128];
	size_t i;

	path_of(f, "t.token", path);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };

		assert_int_equal(file_write_atomic(path, 0600, span_str(rows[i].text), NULL), OK);
		assert_int_equal(load(f, "t.token", NULL, NULL, &err), rows[i].want);
		assert_non_null(strstr(err.text, rows[i].says));
		assert_non_null(strstr(err.text, "t.token"));
	}
}

static void places_to_make_keys_in(void **state)
{
	static const struct {
		const char *store;
		enum result want;
	} rows[] = {
		{ "file", OK },
		{ "", OK },
		{ "pkcs11:token=t", ERR_CONFIG },
		{ "tpm:", ERR_CONFIG },
		{ "tpm:0x81", ERR_USAGE },
		{ "files", ERR_USAGE },
		{ "../../x", ERR_USAGE },
	};
	const struct fixture *f = *state;
	CLEANUP(vault_freep) struct vault *v = open_with(f, NULL);
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(kept_key_clear) struct kept_key k = { 0 };

		assert_int_equal(vault_make(v, "a", span_str(rows[i].store), p256, &k, NULL),
				 rows[i].want);
	}
}

static void all_under_one_passphrase(void **state)
{
	const struct fixture *f = *state;
	struct protect_count count = { 0 };
	struct err err = { 0 };
	size_t plain = 9;

	make(f, "a", NULL);
	make(f, "b", &f->other);
	make(f, "c", &f->passphrase);
	assert_int_equal(protect_all(f->directory, &f->passphrase, NULL, &count, &err), ERR_DENIED);
	assert_non_null(strstr(err.text, "b.key"));
	/* none was touched */
	assert_int_equal(load(f, "a.key", NULL, &plain, NULL), OK);
	assert_int_equal(plain, 1);
	assert_int_equal(protect_all(f->directory, &f->passphrase, &f->other, &count, NULL), OK);
	assert_int_equal(count.sealed, 2);
	assert_int_equal(count.kept, 1);
	assert_int_equal(load(f, "a.key", NULL, NULL, NULL), ERR_DENIED);
	assert_int_equal(load(f, "a.key", &f->passphrase, NULL, NULL), OK);
	assert_int_equal(load(f, "b.key", &f->passphrase, NULL, NULL), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_plain_and_encrypted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_for_others_to_read, set_up, tear_down),
		cmocka_unit_test(names_of_files),
		cmocka_unit_test_setup_teardown(records_that_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(places_to_make_keys_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_under_one_passphrase, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
