/* SPDX-License-Identifier: Apache-2.0 */
/* TLS servers' keys in the keeper: what they sign, and that a renewed one is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "keeper/keyring.h"
#include "keeper/rule_tls.h"
#include "keeper/tls_key.h"

#define PAD "                                                                "
#define RANDOMS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HASH "0123456789abcdef0123456789abcdef"

static void only_handshakes_are_signed(void **state)
{
	static const struct {
		const char *why;
		struct span message;
		enum result want;
	} rows[] = {
		{ "1.3", SPAN_LIT(PAD "TLS 1.3, server CertificateVerify\0" HASH), OK },
		{ "1.3, SHA-384",
		  SPAN_LIT(PAD "TLS 1.3, server CertificateVerify\0" HASH "0123456789abcdef"), OK },
		{ "a client's", SPAN_LIT(PAD "TLS 1.3, client CertificateVerify\0" HASH),
		  ERR_DENIED },
		{ "short hash",
		  SPAN_LIT(PAD "TLS 1.3, server CertificateVerify\0"
			       "1234"),
		  ERR_DENIED },
		{ "no padding",
		  SPAN_LIT("x"
			   "TLS 1.3, server CertificateVerify\0" HASH),
		  ERR_DENIED },
		{ "1.2, X25519", SPAN_LIT(RANDOMS "\x03\0\x1d\x20" HASH), OK },
		{ "1.2, length", SPAN_LIT(RANDOMS "\x03\0\x1d\x21" HASH), ERR_DENIED },
		{ "1.2, explicit curve", SPAN_LIT(RANDOMS "\x01\0\x1d\x20" HASH), ERR_DENIED },
		{ "a digest", SPAN_LIT(HASH), ERR_DENIED },
		{ "nothing", SPAN_LIT(""), ERR_DENIED },
		{ "a TBSCertificate", SPAN_LIT("\x30\x82\x01\x00" RANDOMS), ERR_DENIED },
	};
	const struct key_rule tls = { .tls = true }, other = { .certificates = true };
	BUF trial = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		enum result got =
		    key_rule_check(&tls, KEY_FOR_TLS, SPAN_NONE, rows[i].message, NULL);

		if (got != rows[i].want)
			fail_msg("%s: %s", rows[i].why, err_name(got));
		assert_int_equal(
		    key_rule_check(&other, KEY_FOR_TLS, SPAN_NONE, rows[i].message, NULL),
		    ERR_DENIED);
	}
	assert_int_equal(key_rule_check(&tls, KEY_FOR_CERTIFICATE, SPAN_NONE, SPAN_LIT(HASH), NULL),
			 ERR_DENIED);
	/* what is signed to see whether a key is there */
	assert_int_equal(rule_tls_put_trial(&trial, NULL), OK);
	assert_int_equal(key_rule_check(&tls, KEY_FOR_TLS, SPAN_NONE, buf_span(&trial), NULL), OK);
}

struct files {
	char directory[64];
	char path[96];
};

static enum result each(void *ctx, keeper_tls_key_fn *use, void *use_ctx, struct err *err)
{
	return use(use_ctx, ((const struct files *)ctx)->path, err);
}

/* A new P-256 key in the file; its id. */
static void write_key(const struct files *f, struct crypto *c, mode_t mode,
		      char id[KEEPER_TLS_ID_MAX])
{
	CLEANUP(key_freep) struct key *key = NULL;
	BUF_SECRET pem = BUF_INIT;

	assert_int_equal(key_evp_generate(&key, c, (struct key_spec){ KEY_EC_P256, 256 }, NULL),
			 OK);
	assert_int_equal(key_evp_export(key, NULL, &pem, NULL), OK);
	assert_int_equal(file_write_atomic(f->path, mode, buf_span(&pem), NULL), OK);
	assert_int_equal(keeper_tls_key_id(c, key_spki(key), id, NULL), OK);
}

static enum result look_up(struct keyring *ring, struct crypto *c, const char *id, struct err *err)
{
	const struct keyring_entry *entry = NULL;
	CLEANUP(key_freep) struct key *key = NULL;
	enum result r = keyring_copy(ring, span_str(id), c, &entry, &key, err);

	if (r == OK)
		assert_true(keyring_rule(entry)->tls && !keyring_rule(entry)->certificates);
	return r;
}

static void a_renewed_key_is_found(void **state)
{
	struct files f = { .directory = "/tmp/scepter-tls-XXXXXX" };
	const struct keeper_tls_keys keys = { each, &f };
	struct keyring_config config = { .tls_keys = &keys };
	CLEANUP(keyring_freep) struct keyring *ring = NULL;
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	char first[KEEPER_TLS_ID_MAX], second[KEEPER_TLS_ID_MAX];
	struct err err = { 0 };

	(void)state;
	assert_non_null(mkdtemp(f.directory));
	(void)snprintf(f.path, sizeof(f.path), "%s/tls.pem", f.directory);
	assert_int_equal(crypto_new(&c, false, NULL), OK);
	config.vault.directory = f.directory;
	assert_int_equal(keyring_open(&ring, &config, NULL), OK);
	assert_int_equal(look_up(ring, c, "tls-00", &err), ERR_IO);
	write_key(&f, c, 0600, first);
	assert_int_equal(look_up(ring, c, first, NULL), OK);
	write_key(&f, c, 0644, second);
	assert_int_equal(look_up(ring, c, second, &err), ERR_CONFIG);
	assert_non_null(strstr(err.text, "chmod 640"));
	assert_int_equal(chmod(f.path, 0600), 0);
	assert_int_equal(look_up(ring, c, second, NULL), OK);
	assert_int_equal(look_up(ring, c, first, NULL), OK);
	assert_int_equal(unlink(f.path), 0);
	assert_int_equal(rmdir(f.directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_handshakes_are_signed),
		cmocka_unit_test(a_renewed_key_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
