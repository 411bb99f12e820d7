/* SPDX-License-Identifier: Apache-2.0 */
/* A TLS handshake whose server key is behind struct key: both versions, RSA and EC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "der/oid.h"
#include "pki/cert.h"
#include "pki/key_evp.h"
#include "pki/key_pkey.h"
#include "pki/name.h"

/* Counts what it is asked, as the keeper would see it. */
struct counted {
	struct key base;
	struct key *inner;
	struct crypto *crypto;
	unsigned asked;
	size_t message_len;
	enum result answer;
};

static enum result counted_sign(struct key *k, struct crypto *c, enum key_purpose purpose,
				struct sig_alg alg, struct span message, struct buf *out,
				struct err *err)
{
	struct counted *x = (struct counted *)k;

	(void)c;
	assert_int_equal(purpose, KEY_FOR_TLS);
	x->asked++;
	x->message_len = message.len;
	if (x->answer != OK)
		return x->answer;
	return key_sign(x->inner, x->crypto, purpose, alg, message, out, err);
}

static void counted_free(struct key *k)
{
	(void)k;
}

static const struct key_ops counted_ops = { counted_sign, NULL, counted_free };

struct fixture {
	struct crypto *crypto;
	struct key *key;
	struct counted counted;
	struct key_pkey *pkey;
	SSL_CTX *server;
	SSL_CTX *client;
};

static void fixture_set_up(struct fixture *f, const char *spec_text)
{
	struct key_spec spec;
	BUF name = BUF_INIT;
	BUF cert = BUF_INIT;
	struct cert_self who;

	memset(f, 0, sizeof(*f));
	assert_int_equal(key_spec_parse(spec_text, &spec, NULL), OK);
	assert_int_equal(crypto_new(&f->crypto, false, NULL), OK);
	assert_int_equal(key_evp_generate(&f->key, f->crypto, spec, NULL), OK);
	assert_int_equal(name_parse_text("CN=localhost", &name, NULL), OK);
	who = (struct cert_self){ buf_span(&name), clock_now(NULL), clock_now(NULL) + 86400 };
	assert_int_equal(cert_self_signed(&who, f->key, f->crypto, &cert, NULL), OK);
	f->counted = (struct counted){ .inner = f->key, .crypto = f->crypto };
	f->counted.base.ops = &counted_ops;
	buf_put(&f->counted.base.spki, key_spki(f->key));
	f->counted.base.kind = f->key->kind;
	f->counted.base.bits = f->key->bits;
	assert_int_equal(key_pkey_new(&f->pkey, &f->counted.base, NULL), OK);
	f->server = SSL_CTX_new(TLS_server_method());
	f->client = SSL_CTX_new(TLS_client_method());
	assert_int_equal(SSL_CTX_use_certificate_ASN1(f->server, (int)cert.len, cert.data), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(f->server, key_pkey_get(f->pkey)), 1);
	assert_int_equal(SSL_CTX_check_private_key(f->server), 1);
}

static void fixture_tear_down(struct fixture *f)
{
	SSL_CTX_free(f->server);
	SSL_CTX_free(f->client);
	key_pkey_free(f->pkey);
	buf_clear(&f->counted.base.spki);
	key_free(f->key);
	crypto_free(f->crypto);
}

static bool handshake(struct fixture *f, int version)
{
	SSL *s = SSL_new(f->server), *c = SSL_new(f->client);
	BIO *a = NULL, *b = NULL;
	bool done = false;
	int i;

	assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(s, a, a);
	SSL_set_bio(c, b, b);
	assert_int_equal(SSL_set_min_proto_version(c, version), 1);
	assert_int_equal(SSL_set_max_proto_version(c, version), 1);
	SSL_set_accept_state(s);
	SSL_set_connect_state(c);
	for (i = 0; i < 10 && !done; i++) {
		int x = SSL_do_handshake(c), y = SSL_do_handshake(s);

		done = x == 1 && y == 1;
	}
	SSL_free(s);
	SSL_free(c);
	return done;
}

static void handshakes_ask_the_key(void **state)
{
	static const char *const specs[] = { "rsa2048", "p256", "p384" };
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_LEN(specs); i++)
		for (j = 0; j < ARRAY_LEN(versions); j++) {
			struct fixture f;

			fixture_set_up(&f, specs[i]);
			assert_true(handshake(&f, versions[j]));
			assert_int_equal(f.counted.asked, 1);
			assert_true(f.counted.message_len > 64);
			fixture_tear_down(&f);
		}
}

static void a_refusal_ends_the_handshake(void **state)
{
	struct fixture f;

	(void)state;
	fixture_set_up(&f, "p256");
	f.counted.answer = ERR_BUSY;
	assert_false(handshake(&f, TLS1_3_VERSION));
	assert_int_equal(f.counted.asked, 1);
	fixture_tear_down(&f);
}

static void the_private_part_stays(void **state)
{
	struct fixture f;
	unsigned char *der = NULL;

	(void)state;
	fixture_set_up(&f, "p256");
	assert_true(i2d_PrivateKey(key_pkey_get(f.pkey), &der) <= 0);
	fixture_tear_down(&f);
}

static void ed25519_is_refused(void **state)
{
	struct key_spec spec = { KEY_ED25519, 256 };
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	CLEANUP(key_freep) struct key *k = NULL;
	struct key_pkey *p = NULL;

	(void)state;
	assert_int_equal(crypto_new(&c, false, NULL), OK);
	assert_int_equal(key_evp_generate(&k, c, spec, NULL), OK);
	assert_int_equal(key_pkey_new(&p, k, NULL), ERR_BAD_ALG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshakes_ask_the_key),
		cmocka_unit_test(a_refusal_ends_the_handshake),
		cmocka_unit_test(the_private_part_stays),
		cmocka_unit_test(ed25519_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
