/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "der/oid.h"
#include "der/writer.h"
#include "keeper/client.h"
#include "keeper/keeper.h"
#include "keeper/wire.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/name.h"

#define DAY 86400
#define PATIENCE_MS 60000 /* with a keeper that lives, on a machine that may be busy */

/* ---- a real keeper in a process of its own ---- */

struct fixture {
	char directory[64];
	int intro[2];
	int stop[2];
	pid_t pid;
	struct keeper_client *client;
	struct crypto *crypto;
	struct buf issuer;
};

static void start(struct fixture *f)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->stop), 0);
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0) {
		struct keeper_config config = { .keys.vault.directory = f->directory,
						.intro_fd = f->intro[1],
						.stop_fd = f->stop[1] };
		struct err err = { 0 };
		enum result r;

		(void)close(f->stop[0]);
		r = keeper_run(&config, &err);
		if (r != OK)
			(void)fprintf(stderr, "keeper: %s\n", err_text(&err));
		_exit(r == OK ? 0 : 1);
	}
	(void)close(f->stop[1]);
}

/* Gently, by the stop descriptor; or not. */
static int stop(struct fixture *f, bool hard)
{
	int status = -1;

	if (hard)
		assert_int_equal(kill(f->pid, SIGKILL), 0);
	(void)close(f->stop[0]);
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	return status;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test-keeper-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f->intro), 0);
	start(f);
	assert_int_equal(keeper_client_new(&f->client, f->intro[0], PATIENCE_MS, NULL), OK);
	assert_int_equal(crypto_new(&f->crypto, false, NULL), OK);
	assert_int_equal(name_parse_text("CN=Keeper CA", &f->issuer, NULL), OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	keeper_client_free(f->client);
	assert_int_equal(stop(f, false), 0);
	(void)close(f->intro[0]);
	(void)close(f->intro[1]);
	crypto_free(f->crypto);
	buf_clear(&f->issuer);
	(void)snprintf(command, sizeof(command), "rm -r %s", f->directory);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static struct key_rule ca_rule(const struct fixture *f)
{
	return (struct key_rule){ .certificates = true,
				  .crls = true,
				  .issuer = f->issuer,
				  .max_validity = 400 * DAY,
				  .max_own_validity = 3660LL * DAY };
}

static void make_ca(struct fixture *f, struct key **key)
{
	struct key_rule rule = ca_rule(f);
	struct err err = { 0 };

	if (keeper_generate(f->client, "ca", (struct key_spec){ KEY_EC_P256, 256 }, &rule, &err) !=
	    OK)
		fail_msg("%s", err_text(&err));
	assert_int_equal(keeper_key_open(key, f->client, "ca", NULL), OK);
}

static void keys_are_private_files(void **state)
{
	struct fixture *f = *state;
	CLEANUP(key_freep) struct key *key = NULL;
	struct key_rule rule = ca_rule(f);
	char path[128];
	struct stat st;

	assert_int_equal(keeper_ping(f->client, NULL), OK);
	assert_int_equal(keeper_key_open(&key, f->client, "ca", NULL), ERR_NOT_FOUND);
	assert_int_equal(keeper_key_open(&key, f->client, "../ca", NULL), ERR_NOT_FOUND);
	make_ca(f, &key);
	assert_int_equal(key->kind, KEY_EC_P256);
	assert_int_equal(
	    keeper_generate(f->client, "ca", (struct key_spec){ KEY_EC_P256, 256 }, &rule, NULL),
	    ERR_CONFLICT);
	(void)snprintf(path, sizeof(path), "%s/ca.key", f->directory);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* what lies there is a key to others, too */
	(void)snprintf(path, sizeof(path), "openssl pkey -noout -check -in %s/ca.key >/dev/null",
		       f->directory);
	assert_int_equal(system(path), 0);
}

struct tbs_row {
	const char *why;
	enum result want;
	const char *issuer;
	const char *subject;
	bool own; /* the key is the CA's own */
	int days;
	int ca; /* basicConstraints: -1 absent */
	uint32_t usage;
};

static void build_tbs(const struct tbs_row *row, struct span spki, struct buf *tbs)
{
	BUF issuer = BUF_INIT, subject = BUF_INIT, exts = BUF_INIT;
	struct cert_template t = { .serial = SPAN_LIT("\x42"),
				   .sig_alg = { KEY_EC_P256, DIGEST_SHA256 },
				   .not_before = 1795293840,
				   .not_after = 1795293840 + (int64_t)row->days * DAY,
				   .spki = spki };

	assert_int_equal(name_parse_text(row->issuer, &issuer, NULL), OK);
	assert_int_equal(name_parse_text(row->subject, &subject, NULL), OK);
	if (row->ca >= 0)
		ext_put_basic_constraints(&exts, row->ca, -1);
	if (row->usage)
		ext_put_key_usage(&exts, row->usage);
	t.issuer = buf_span(&issuer);
	t.subject = buf_span(&subject);
	t.exts = buf_span(&exts);
	assert_int_equal(cert_build_tbs(&t, tbs, NULL), OK);
}

static void signs_what_the_rule_allows(void **state)
{
	static const struct tbs_row rows[] = {
		{ "leaf", OK, "CN=Keeper CA", "CN=d", false, 365, 0, KU_DIGITAL_SIGNATURE },
		{ "no extensions", OK, "CN=Keeper CA", "CN=d", false, 365, -1, 0 },
		{ "own", OK, "CN=Keeper CA", "CN=Keeper CA", true, 3650, 1, KU_KEY_CERT_SIGN },
		{ "other issuer", ERR_DENIED, "CN=Other CA", "CN=d", false, 365, 0, 0 },
		{ "too long", ERR_DENIED, "CN=Keeper CA", "CN=d", false, 401, 0, 0 },
		{ "own too long", ERR_DENIED, "CN=Keeper CA", "CN=Keeper CA", true, 3700, 1, 0 },
		{ "own key, other name", ERR_DENIED, "CN=Keeper CA", "CN=d", true, 401, 0, 0 },
		{ "backwards", ERR_DENIED, "CN=Keeper CA", "CN=d", false, -1, 0, 0 },
		{ "sub CA", ERR_DENIED, "CN=Keeper CA", "CN=d", false, 365, 1, 0 },
		{ "own name, other key", ERR_DENIED, "CN=Keeper CA", "CN=Keeper CA", false, 365, 1,
		  0 },
		{ "cert sign", ERR_DENIED, "CN=Keeper CA", "CN=d", false, 365, 0,
		  KU_KEY_CERT_SIGN },
		{ "crl sign", ERR_DENIED, "CN=Keeper CA", "CN=d", false, 365, -1, KU_CRL_SIGN },
	};
	struct fixture *f = *state;
	CLEANUP(key_freep) struct key *ca = NULL;
	CLEANUP(key_freep) struct key *device = NULL;
	CLEANUP(pubkey_freep) struct pubkey *pub = NULL;
	const struct sig_alg alg = { KEY_EC_P256, DIGEST_SHA256 };
	size_t i;

	make_ca(f, &ca);
	assert_int_equal(pubkey_new(&pub, f->crypto, key_spki(ca), NULL), OK);
	assert_int_equal(
	    key_evp_generate(&device, f->crypto, (struct key_spec){ KEY_EC_P256, 256 }, NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF tbs = BUF_INIT, sig = BUF_INIT;
		struct err err = { 0 };
		enum result got;

		build_tbs(&rows[i], key_spki(rows[i].own ? ca : device), &tbs);
		got = key_sign(ca, f->crypto, KEY_FOR_CERTIFICATE, alg, buf_span(&tbs), &sig, &err);
		if (got != rows[i].want)
			fail_msg("%s: %s", rows[i].why, err_text(&err));
		if (got == OK)
			assert_int_equal(pubkey_verify(pub, f->crypto, alg, buf_span(&tbs),
						       buf_span(&sig), NULL),
					 OK);
		else
			assert_int_equal(sig.len, 0);
	}
}

/* A CA key signs nothing else, under no purpose's name, and nothing that is not whole. */
static void signs_nothing_else(void **state)
{
	static const struct tbs_row leaf = { "", OK, "CN=Keeper CA", "CN=d", false, 365, 0, 0 };
	struct fixture *f = *state;
	CLEANUP(key_freep) struct key *ca = NULL;
	const struct sig_alg alg = { KEY_EC_P256, DIGEST_SHA256 };
	BUF tbs = BUF_INIT, sig = BUF_INIT;
	struct span whole;
	int purpose;

	make_ca(f, &ca);
	build_tbs(&leaf, key_spki(ca), &tbs);
	whole = buf_span(&tbs);
	for (purpose = KEY_FOR_CRL; purpose <= KEY_FOR_NEXT_CA; purpose++)
		assert_int_not_equal(
		    key_sign(ca, f->crypto, (enum key_purpose)purpose, alg, whole, &sig, NULL), OK);
	assert_int_equal(key_sign(ca, f->crypto, KEY_FOR_CERTIFICATE, alg,
				  span_sub(whole, 0, whole.len - 1), &sig, NULL),
			 ERR_SYNTAX);
	buf_put_byte(&tbs, 0);
	assert_int_equal(
	    key_sign(ca, f->crypto, KEY_FOR_CERTIFICATE, alg, buf_span(&tbs), &sig, NULL),
	    ERR_SYNTAX);
	assert_int_equal(key_sign(ca, f->crypto, KEY_FOR_CERTIFICATE, alg,
				  SPAN_LIT("0123456789abcdef0123456789abcdef"), &sig, NULL),
			 ERR_SYNTAX);
	assert_int_equal(sig.len, 0);
}

/* The beginning of a TBSCertList, which is all that is looked at. */
static void put_crl(const struct fixture *f, struct buf *crl)
{
	size_t seq = der_open(crl, DER_SEQUENCE);

	der_put_uint(crl, 1);
	alg_put_sig(crl, (struct sig_alg){ KEY_EC_P256, DIGEST_SHA256 });
	buf_put(crl, buf_span(&f->issuer));
	der_put_time(crl, 1795293840);
	der_close(crl, seq);
}

/* A server that was taken over chooses the digest, and would choose one that it finds collisions
 * of.
 */
static void signs_with_no_digest_that_collides(void **state)
{
	static const struct tbs_row leaf = { "", OK, "CN=Keeper CA", "CN=d", false, 365, 0, 0 };
	static const enum digest_alg weak[] = { DIGEST_MD5, DIGEST_SHA1 };
	struct fixture *f = *state;
	CLEANUP(key_freep) struct key *ca = NULL;
	BUF tbs = BUF_INIT, crl = BUF_INIT, sig = BUF_INIT;
	size_t i;

	make_ca(f, &ca);
	build_tbs(&leaf, key_spki(ca), &tbs);
	put_crl(f, &crl);
	for (i = 0; i < ARRAY_LEN(weak); i++) {
		const struct sig_alg alg = { KEY_EC_P256, weak[i] };

		assert_int_equal(
		    key_sign(ca, f->crypto, KEY_FOR_CERTIFICATE, alg, buf_span(&tbs), &sig, NULL),
		    ERR_DENIED);
		assert_int_equal(
		    key_sign(ca, f->crypto, KEY_FOR_CRL, alg, buf_span(&crl), &sig, NULL),
		    ERR_DENIED);
	}
	assert_int_equal(sig.len, 0);
}

static void revocation_lists_and_content(void **state)
{
	struct fixture *f = *state;
	CLEANUP(key_freep) struct key *ca = NULL;
	CLEANUP(key_freep) struct key *ra = NULL;
	const struct sig_alg ec = { KEY_EC_P256, DIGEST_SHA256 };
	const struct key_rule rule = { .content = true, .csr = true };
	BUF crl = BUF_INIT, attrs = BUF_INIT, sig = BUF_INIT;
	size_t seq, set;

	make_ca(f, &ca);
	put_crl(f, &crl);
	assert_int_equal(key_sign(ca, f->crypto, KEY_FOR_CRL, ec, buf_span(&crl), &sig, NULL), OK);

	assert_int_equal(
	    keeper_generate(f->client, "ra", (struct key_spec){ KEY_EC_P256, 256 }, &rule, NULL),
	    OK);
	assert_int_equal(keeper_key_open(&ra, f->client, "ra", NULL), OK);
	assert_int_equal(key_sign(ra, f->crypto, KEY_FOR_CRL, ec, buf_span(&crl), &sig, NULL),
			 ERR_DENIED);
	for (int n = 0; n < 2; n++) {
		buf_reset(&attrs);
		set = der_open(&attrs, DER_SET);
		seq = der_open(&attrs, DER_SEQUENCE);
		der_put_oid(&attrs, OID_CONTENT_TYPE);
		der_put_tlv(&attrs, DER_SET, SPAN_LIT("\x06\x01\x2a"));
		der_close(&attrs, seq);
		if (n == 1) {
			seq = der_open(&attrs, DER_SEQUENCE);
			der_put_oid(&attrs, OID_MESSAGE_DIGEST);
			der_put_tlv(&attrs, DER_SET, SPAN_LIT("\x04\x01\x2a"));
			der_close(&attrs, seq);
		}
		der_close(&attrs, set);
		assert_int_equal(
		    key_sign(ra, f->crypto, KEY_FOR_CONTENT, ec, buf_span(&attrs), &sig, NULL),
		    n == 1 ? OK : ERR_DENIED);
	}
}

static void decrypts_where_allowed(void **state)
{
	struct fixture *f = *state;
	const struct key_rule may = { .decrypt = true }, may_not = { .content = true };
	const struct transport_alg algs[] = { { 0 }, { true, DIGEST_SHA256, DIGEST_SHA256 } };
	const struct key_spec rsa = { KEY_RSA, 2048 };
	CLEANUP(key_freep) struct key *key = NULL;
	CLEANUP(key_freep) struct key *other = NULL;
	CLEANUP(pubkey_freep) struct pubkey *pub = NULL;
	size_t i;

	assert_int_equal(keeper_generate(f->client, "ra", rsa, &may, NULL), OK);
	assert_int_equal(keeper_key_open(&key, f->client, "ra", NULL), OK);
	assert_int_equal(pubkey_new(&pub, f->crypto, key_spki(key), NULL), OK);
	for (i = 0; i < ARRAY_LEN(algs); i++) {
		BUF cipher = BUF_INIT;
		SECRET plain = SECRET_INIT;

		assert_int_equal(pubkey_encrypt(pub, f->crypto, &algs[i],
						SPAN_LIT("sixteen byte key"), &cipher, NULL),
				 OK);
		assert_int_equal(
		    key_decrypt(key, f->crypto, &algs[i], buf_span(&cipher), &plain, NULL), OK);
		assert_true(secret_eq(&plain, SPAN_LIT("sixteen byte key")));
		cipher.len--;
		assert_int_equal(
		    key_decrypt(key, f->crypto, &algs[i], buf_span(&cipher), &plain, NULL),
		    ERR_BAD_CHECK);
		/* nothing at all would be no message of the wire's */
		assert_int_equal(key_decrypt(key, f->crypto, &algs[i], SPAN_NONE, &plain, NULL),
				 ERR_BAD_CHECK);
	}
	assert_int_equal(keeper_generate(f->client, "sign", rsa, &may_not, NULL), OK);
	assert_int_equal(keeper_key_open(&other, f->client, "sign", NULL), OK);
	{
		SECRET plain = SECRET_INIT;
		uint8_t any[256] = { 1 };

		assert_int_equal(
		    key_decrypt(other, f->crypto, &algs[0], SPAN_ARRAY(any), &plain, NULL),
		    ERR_DENIED);
	}
}

/* Returns when all of its threads have stopped, which kill(2) alone does not wait for. */
static void freeze(struct fixture *f)
{
	int status;

	assert_int_equal(kill(f->pid, SIGSTOP), 0);
	assert_int_equal(waitpid(f->pid, &status, WUNTRACED), f->pid);
	assert_true(WIFSTOPPED(status));
}

static void outlives_its_keeper(void **state)
{
	static const struct tbs_row leaf = { "", OK, "CN=Keeper CA", "CN=d", false, 365, 0, 0 };
	struct fixture *f = *state;
	CLEANUP(key_freep) struct key *ca = NULL;
	const struct sig_alg alg = { KEY_EC_P256, DIGEST_SHA256 };
	BUF tbs = BUF_INIT, sig = BUF_INIT;

	make_ca(f, &ca);
	build_tbs(&leaf, key_spki(ca), &tbs);
	assert_true(WIFSIGNALED(stop(f, true)));
	start(f);
	/* the idle channel is broken, the key is the same */
	assert_int_equal(
	    key_sign(ca, f->crypto, KEY_FOR_CERTIFICATE, alg, buf_span(&tbs), &sig, NULL), OK);
	/* a request that waits while the keeper dies is to be tried again */
	freeze(f);
	{
		pid_t killer = fork();
		int status;

		if (killer == 0) {
			(void)usleep(50000);
			_exit(kill(f->pid, SIGKILL));
		}
		assert_int_equal(
		    key_sign(ca, f->crypto, KEY_FOR_CERTIFICATE, alg, buf_span(&tbs), &sig, NULL),
		    ERR_BUSY);
		assert_int_equal(waitpid(killer, &status, 0), killer);
	}
	assert_true(WIFSIGNALED(stop(f, true)));
	start(f);
	assert_int_equal(
	    key_sign(ca, f->crypto, KEY_FOR_CERTIFICATE, alg, buf_span(&tbs), &sig, NULL), OK);
}

/* A server that was taken over asks for the CA's next key, and could break it. */
static void makes_no_key_that_can_be_broken(void **state)
{
	static const unsigned sizes[] = { 512, 1024, 2047, 16384, 65535 };
	struct fixture *f = *state;
	CLEANUP(key_freep) struct key *ca = NULL;
	const struct key_rule rule = { .content = true };
	size_t i;

	make_ca(f, &ca);
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		const struct key_spec spec = { KEY_RSA, sizes[i] };

		assert_int_equal(keeper_succeed(f->client, "ca2", spec, "ca", NULL), ERR_BAD_ALG);
		assert_int_equal(keeper_generate(f->client, "ra", spec, &rule, NULL), ERR_BAD_ALG);
	}
}

/* The first of a family may be lost, or put away: its name is nobody else's to take. */
static void a_family_is_joined_by_no_name(void **state)
{
	struct fixture *f = *state;
	CLEANUP(key_freep) struct key *ca = NULL;
	const struct key_spec spec = { KEY_EC_P256, 256 };
	struct key_rule wide = ca_rule(f);
	char command[256];

	make_ca(f, &ca);
	assert_int_equal(keeper_succeed(f->client, "ca2", spec, "ca", NULL), OK);
	assert_int_equal(stop(f, false), 0);
	(void)snprintf(command, sizeof(command), "rm %s/ca.key %s/ca.rule", f->directory,
		       f->directory);
	assert_int_equal(system(command), 0);
	start(f);
	wide.ca_certificates = true;
	assert_int_equal(keeper_generate(f->client, "ca", spec, &wide, NULL), ERR_CONFLICT);
}

static void gives_up_in_time(void **state)
{
	struct fixture *f = *state;
	struct keeper_client *hasty = NULL;
	struct err err = { 0 };

	assert_int_equal(keeper_client_new(&hasty, f->intro[0], 50, NULL), OK);
	freeze(f);
	assert_int_equal(keeper_ping(hasty, &err), ERR_BUSY);
	assert_non_null(strstr(err.text, "too long"));
	assert_int_equal(kill(f->pid, SIGCONT), 0);
	assert_int_equal(keeper_ping(f->client, NULL), OK);
	keeper_client_free(hasty);
}

struct signer {
	struct fixture *f;
	struct key *key;
	unsigned failed;
};

static void *sign_often(void *arg)
{
	static const struct tbs_row leaf = { "", OK, "CN=Keeper CA", "CN=d", false, 365, 0, 0 };
	const struct sig_alg alg = { KEY_EC_P256, DIGEST_SHA256 };
	struct signer *s = arg;
	BUF tbs = BUF_INIT;
	int i;

	build_tbs(&leaf, key_spki(s->key), &tbs);
	for (i = 0; i < 50; i++) {
		BUF sig = BUF_INIT;

		if (key_sign(s->key, s->f->crypto, KEY_FOR_CERTIFICATE, alg, buf_span(&tbs), &sig,
			     NULL) != OK)
			s->failed++;
	}
	return NULL;
}

static void threads_share_a_key(void **state)
{
	struct fixture *f = *state;
	CLEANUP(key_freep) struct key *ca = NULL;
	struct signer signers[8];
	pthread_t threads[8];
	size_t i;

	make_ca(f, &ca);
	for (i = 0; i < ARRAY_LEN(threads); i++) {
		signers[i] = (struct signer){ f, ca, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, sign_often, &signers[i]), 0);
	}
	for (i = 0; i < ARRAY_LEN(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(signers[i].failed, 0);
	}
}

static void refuses_a_key_that_others_can_read(void **state)
{
	struct fixture *f = *state;
	struct keeper_config config = { .keys.vault.directory = f->directory,
					.intro_fd = -1,
					.stop_fd = -1 };
	CLEANUP(key_freep) struct key *ca = NULL;
	char path[128];
	pid_t pid;
	int status;

	make_ca(f, &ca);
	(void)snprintf(path, sizeof(path), "%s/ca.key", f->directory);
	assert_int_equal(chmod(path, 0640), 0);
	pid = fork();
	if (pid == 0) {
		struct err err = { 0 };

		_exit(keeper_run(&config, &err) == ERR_CONFIG && strstr(err.text, path) &&
			      strstr(err.text, "0640")
			  ? 0
			  : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_are_private_files, setup, teardown),
		cmocka_unit_test_setup_teardown(signs_what_the_rule_allows, setup, teardown),
		cmocka_unit_test_setup_teardown(signs_nothing_else, setup, teardown),
		cmocka_unit_test_setup_teardown(signs_with_no_digest_that_collides, setup,
						teardown),
		cmocka_unit_test_setup_teardown(revocation_lists_and_content, setup, teardown),
		cmocka_unit_test_setup_teardown(decrypts_where_allowed, setup, teardown),
		cmocka_unit_test_setup_teardown(outlives_its_keeper, setup, teardown),
		cmocka_unit_test_setup_teardown(makes_no_key_that_can_be_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(a_family_is_joined_by_no_name, setup, teardown),
		cmocka_unit_test_setup_teardown(gives_up_in_time, setup, teardown),
		cmocka_unit_test_setup_teardown(threads_share_a_key, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_a_key_that_others_can_read, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
