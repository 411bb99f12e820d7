/* SPDX-License-Identifier: Apache-2.0 */
/* Client certificates, shown by openssl(1): who is let in, and what the handler is told. */
#include "http_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls.h"
#include "tls_fixture.h"

/* openssl ca wants files of its own; x509 -req can date a certificate with -not_after only in 3.4.
 */
static const char make_files[] =
    "(set -e; ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout"
    " $1.key -out $1.pem -subj /CN=$2 -days 9; };"
    " leaf() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key"
    " -out $1.csr -subj /CN=$1; echo \"$4\" > $1.ext; openssl x509 -req -in $1.csr -CA $2.pem "
    "-CAkey"
    " $2.key -CAcreateserial -out $1.pem -days $3 -extfile $1.ext; };"
    " openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key"
    " -out server.pem -subj /CN=localhost -days 2;"
    " ca root root; ca foreign foreign; ca twin root; leaf mid root 9 "
    "basicConstraints=critical,CA:TRUE;"
    " leaf good root 2 extendedKeyUsage=clientAuth; leaf server-only root 2"
    " extendedKeyUsage=serverAuth; leaf stranger foreign 2 extendedKeyUsage=clientAuth;"
    " leaf below mid 2 extendedKeyUsage=clientAuth;"
    /* by a CA of the same name as the one that is trusted: its signature alone tells */
    " leaf lookalike twin 2 'extendedKeyUsage=clientAuth\nauthorityKeyIdentifier=none';"
    " leaf long root 2 nsComment=$(head -c 40000 /dev/zero | tr '\\0' x);"
    " for i in 1 2 3 4 5 6 7 8 9; do cat foreign.pem; done > many.pem;"
    /* OpenSSL 3.5 has no negative days, 3.0 no dates */
    " d='-days -1'; if openssl x509 -help 2>&1 | grep -q not_after; then"
    " d='-not_before 20200101000000Z -not_after 20200102000000Z'; fi;"
    " openssl x509 -req -in good.csr -CA root.pem -CAkey root.key -out expired.pem $d;"
    " cp good.key expired.key; openssl x509 -in root.pem -outform DER -out root.der;"
    " echo garbage > garbage.pem) 2>&1";

struct scene {
	char dir[TLS_DIR];
	EVP_PKEY *key;
	struct tls_server *tls;
	struct fixture f;
};

static int set_scene(void **state)
{
	static struct scene s;

	tls_fixture_begin(s.dir, make_files);
	s.key = tls_key(s.dir, "server.key");
	*state = &s;
	return 0;
}

static int strike_scene(void **state)
{
	struct scene *s = *state;

	EVP_PKEY_free(s->key);
	tls_fixture_end(s->dir);
	return 0;
}

/* client_ca: a name in the scene's folder, or NULL. */
static enum result make_tls(struct scene *s, enum tls_clients clients, const char *client_ca,
			    struct tls_server **out, struct err *err)
{
	struct tls_server_config config = { .key = s->key, .clients = clients };
	char cert[64], ca[64];

	tls_path(s->dir, "server.pem", cert);
	config.certificate = cert;
	if (client_ca) {
		tls_path(s->dir, client_ca, ca);
		config.client_ca = ca;
	}
	return tls_server_new(out, &config, err);
}

static void start(struct scene *s, enum tls_clients clients, const char *client_ca)
{
	const struct http_server_config c = fixture_config();
	struct err err = { 0 };

	if (make_tls(s, clients, client_ca, &s->tls, &err) != OK)
		fail_msg("%s", err.text);
	fixture_start_with(&s->f, &c, false, s->tls);
}

static void stop(struct scene *s)
{
	fixture_stop(&s->f);
	tls_server_free(s->tls);
}

/* What /certs says to a client with these options; "" where it was not let in. */
static void ask(struct scene *s, const char *options, char *out, size_t size)
{
	char all[16384];
	const char *at;

	(void)tls_run(
	    s->dir, all, sizeof(all),
	    "printf 'GET /certs HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n' |"
	    " timeout 60 openssl s_client -connect 127.0.0.1:%u -ign_eof %s 2>&1",
	    s->f.port, options);
	at = strstr(all, "certs=");
	(void)snprintf(out, size, "%.*s", at ? (int)strcspn(at, "\r\n") : 0, at ? at : "");
}

struct row {
	const char *options;
	const char *says; /* parts of the answer, or "" */
	const char *also;
};

static void check_rows(struct scene *s, const struct row *row, size_t n)
{
	static const char *const versions[] = { "-tls1_3", "-tls1_2" };
	char options[128], out[512];
	size_t i, v;

	for (i = 0; i < n; i++)
		for (v = 0; v < ARRAY_LEN(versions); v++) {
			(void)snprintf(options, sizeof(options), "%s %s", row[i].options,
				       versions[v]);
			ask(s, options, out, sizeof(out));
			if (*row[i].says ? !strstr(out, row[i].says) || !strstr(out, row[i].also)
					 : *out)
				fail_msg("%s: \"%s\"", options, out);
		}
}

static void who_is_let_in_by_request(void **state)
{
	static const struct row row[] = {
		{ "", "certs=0 leaf=0", "verified=0" },
		{ "-cert good.pem -key good.key", "certs=1", "verified=1" },
		{ "-cert stranger.pem -key stranger.key", "certs=1", "verified=0" },
		{ "-cert lookalike.pem -key lookalike.key", "certs=1", "verified=0" },
		{ "-cert lookalike.pem -key lookalike.key -cert_chain twin.pem", "certs=2",
		  "verified=0" },
		{ "-cert expired.pem -key expired.key", "certs=1", "verified=0" },
		{ "-cert server-only.pem -key server-only.key", "certs=1", "verified=0" },
		{ "-cert below.pem -key below.key", "certs=1", "verified=0" },
		{ "-cert below.pem -key below.key -cert_chain mid.pem", "certs=2", "verified=1" },
	};

	start(*state, TLS_CLIENTS_REQUEST, "root.pem");
	check_rows(*state, row, ARRAY_LEN(row));
	stop(*state);
}

static void who_is_let_in_by_require(void **state)
{
	static const struct row row[] = {
		{ "", "", "" },
		{ "-cert good.pem -key good.key", "certs=1", "verified=1" },
		{ "-cert stranger.pem -key stranger.key", "", "" },
		{ "-cert lookalike.pem -key lookalike.key", "", "" },
		{ "-cert lookalike.pem -key lookalike.key -cert_chain twin.pem", "", "" },
		{ "-cert expired.pem -key expired.key", "", "" },
		{ "-cert server-only.pem -key server-only.key", "", "" },
		{ "-cert below.pem -key below.key", "", "" },
		{ "-cert below.pem -key below.key -cert_chain mid.pem", "certs=2", "verified=1" },
	};

	start(*state, TLS_CLIENTS_REQUIRE, "root.pem");
	check_rows(*state, row, ARRAY_LEN(row));
	stop(*state);
}

/* Without CAs the handler decides: any certificate will do for the handshake, but one there must
 * be. */
static void any_certificate(void **state)
{
	static const struct row row[] = {
		{ "", "", "" },
		{ "-cert good.pem -key good.key", "certs=1", "verified=0" },
		{ "-cert stranger.pem -key stranger.key", "certs=1", "verified=0" },
		{ "-cert expired.pem -key expired.key", "certs=1", "verified=0" },
		{ "-cert good.pem -key good.key -cert_chain many.pem", "", "" },
		{ "-cert long.pem -key long.key", "", "" },
	};

	start(*state, TLS_CLIENTS_REQUIRE, NULL);
	check_rows(*state, row, ARRAY_LEN(row));
	stop(*state);
}

static void none_is_asked_for(void **state)
{
	static const struct row row[] = {
		{ "-cert good.pem -key good.key", "certs=0", "verified=0" },
	};

	start(*state, TLS_CLIENTS_NONE, NULL);
	check_rows(*state, row, ARRAY_LEN(row));
	stop(*state);
}

static void channels_are_bound(void **state)
{
	char out[512];

	start(*state, TLS_CLIENTS_NONE, NULL);
	ask(*state, "-tls1_3", out, sizeof(out));
	assert_non_null(strstr(out, "binding=32"));
	ask(*state, "-tls1_2", out, sizeof(out));
	assert_non_null(strstr(out, "binding=12"));
	stop(*state);
}

/* A session is resumed with the certificate that it began with. */
static void sessions_keep_the_certificate(void **state)
{
	static const char *const versions[] = { "-tls1_3", "-tls1_2" };
	struct scene *s = *state;
	char out[512], options[128], all[16384];
	size_t v;

	start(s, TLS_CLIENTS_REQUIRE, "root.pem");
	for (v = 0; v < ARRAY_LEN(versions); v++) {
		(void)snprintf(options, sizeof(options),
			       "-cert good.pem -key good.key -sess_out s.pem %s", versions[v]);
		ask(s, options, out, sizeof(out));
		assert_non_null(strstr(out, "verified=1"));
		(void)snprintf(options, sizeof(options), "-sess_in s.pem %s", versions[v]);
		ask(s, options, out, sizeof(out));
		if (!strstr(out, "certs=1") || !strstr(out, "verified=1"))
			fail_msg("%s: %s", versions[v], out);
		assert_true(
		    tls_run(s->dir, all, sizeof(all),
			    "timeout 60 openssl s_client -connect 127.0.0.1:%u -sess_in s.pem"
			    " %s </dev/null 2>&1",
			    s->f.port, versions[v]));
		assert_non_null(strstr(all, "Reused"));
	}
	stop(s);
}

/* A CA that is not trusted any more: not even a session of before gets in. */
static void trust_is_taken_back(void **state)
{
	struct scene *s = *state;
	char out[512], path[64];
	uint8_t der[2048];
	struct span ca;
	FILE *file;

	tls_path(s->dir, "root.der", path);
	file = fopen(path, "r");
	assert_non_null(file);
	ca = span_of(der, fread(der, 1, sizeof(der), file));
	(void)fclose(file);
	start(s, TLS_CLIENTS_REQUIRE, NULL);
	assert_int_equal(tls_server_trust(s->tls, &ca, 1, NULL), OK);
	ask(s, "-cert good.pem -key good.key -sess_out s.pem", out, sizeof(out));
	assert_non_null(strstr(out, "verified=1"));
	assert_int_equal(tls_server_trust(s->tls, NULL, 0, NULL), OK);
	ask(s, "-cert good.pem -key good.key", out, sizeof(out));
	assert_string_equal(out, "");
	ask(s, "-sess_in s.pem", out, sizeof(out));
	assert_string_equal(out, "");
	assert_int_equal(tls_server_trust(s->tls, &SPAN_LIT("x"), 1, NULL), ERR_SYNTAX);
	stop(s);
}

static void wrong_files_are_named(void **state)
{
	static const struct {
		const char *file;
		enum result result;
		const char *says;
	} row[] = {
		{ "none.pem", ERR_IO, "none.pem: No such file" },
		{ "garbage.pem", ERR_CONFIG, "garbage.pem: not a file of PEM certificates" },
		{ "good.key", ERR_CONFIG, "good.key: not a file of PEM certificates" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(row); i++) {
		struct tls_server *t = NULL;
		struct err err = { 0 };

		if (make_tls(*state, TLS_CLIENTS_REQUIRE, row[i].file, &t, &err) != row[i].result ||
		    !strstr(err.text, row[i].says))
			fail_msg("row %zu: %s", i, err.text);
		assert_null(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_let_in_by_request),
		cmocka_unit_test(who_is_let_in_by_require),
		cmocka_unit_test(any_certificate),
		cmocka_unit_test(none_is_asked_for),
		cmocka_unit_test(channels_are_bound),
		cmocka_unit_test(sessions_keep_the_certificate),
		cmocka_unit_test(trust_is_taken_back),
		cmocka_unit_test(wrong_files_are_named),
	};

	return cmocka_run_group_tests(tests, set_scene, strike_scene);
}
