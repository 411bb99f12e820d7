/* SPDX-License-Identifier: Apache-2.0 */
/* A proxy that terminates TLS: who is believed, and what the handler hears of the client. */
#include "http_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "net/tls.h"
#include "net/tls_verifier.h"
#include "tls_fixture.h"

static const char make_files[] =
    "(set -e; key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';"
    " ca() { openssl req -x509 $key -keyout $1.key -out $1.pem -subj /CN=$2 -days 9; };"
    " leaf() { openssl req $key -keyout $1.key -out $1.csr -subj /CN=$1; echo \"$4\" > $1.ext;"
    " openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -out $1.pem -days $3"
    " -extfile $1.ext; };"
    " ca root root; ca foreign foreign; ca server server; ca twin root; leaf mid root 9 "
    "basicConstraints=critical,CA:TRUE;"
    " leaf good root 2 extendedKeyUsage=clientAuth;"
    " leaf server-only root 2 extendedKeyUsage=serverAuth;"
    " leaf stranger foreign 2 extendedKeyUsage=clientAuth;"
    " leaf below mid 2 extendedKeyUsage=clientAuth;"
    /* by a CA of the same name as the one that is trusted: its signature alone tells */
    " leaf lookalike twin 2 'extendedKeyUsage=clientAuth\nauthorityKeyIdentifier=none';"
    " for i in *.pem; do openssl x509 -in $i -outform DER -out ${i%.pem}.der; done) 2>&1";

struct scene {
	char dir[TLS_DIR];
	struct tls_verifier *verifier;
	struct fixture f;
};

static int set_scene(void **state)
{
	static struct scene s;
	char path[TLS_PATH];

	tls_fixture_begin(s.dir, make_files);
	tls_path(s.dir, "root.pem", path);
	assert_int_equal(tls_verifier_new(&s.verifier, path, NULL), OK);
	*state = &s;
	return 0;
}

static int strike_scene(void **state)
{
	struct scene *s = *state;

	tls_verifier_free(s->verifier);
	tls_fixture_end(s->dir);
	return 0;
}

static void start_listener(struct scene *s, const char *trusted, struct tls_server *tls)
{
	struct http_server_config c = fixture_config();
	struct address_block block;
	struct http_listener l = { .tls = tls,
				   .tls_proxy = { .field = "Client-Cert",
						  .trusted = &block,
						  .n_trusted = 1,
						  .verifier = s->verifier } };

	assert_int_equal(address_block_parse(trusted, &block, NULL), OK);
	c.limits.header_bytes = 16384;
	fixture_start_listener(&s->f, &c, &l);
}

static void start(struct scene *s, const char *trusted)
{
	start_listener(s, trusted, NULL);
}

/* "Client-Cert: :base64:" of a file in the scene's folder. */
static void put_cert(const struct scene *s, const char *field, const char *name, struct buf *out)
{
	BUF der = BUF_INIT;
	char path[TLS_PATH];

	tls_path(s->dir, name, path);
	assert_int_equal(file_read(path, 65536, &der, NULL), OK);
	buf_printf(out, "%s: :", field);
	base64_put(out, buf_span(&der), 0);
	buf_put_str(out, ":\r\n");
}

static struct heard ask(struct scene *s, const char *fields)
{
	BUF text = BUF_INIT;
	struct heard h;
	int fd = fixture_connect(&s->f);

	buf_printf(&text, "GET /certs HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
	say(fd, buf_cstr(&text));
	h = hear(fd);
	(void)close(fd);
	return h;
}

static void whom_the_handler_hears_of(void **state)
{
	static const struct {
		const char *own, *chain;
		const char *says; /* behind "certs=N leaf=M " */
	} row[] = {
		{ "good.der", NULL, "verified=1 binding=0" },
		{ "below.der", "mid.der", "verified=1 binding=0" },
		{ "below.der", NULL, "verified=0 binding=0" },
		{ "stranger.der", NULL, "verified=0 binding=0" },
		{ "stranger.der", "foreign.der", "verified=0 binding=0" },
		{ "lookalike.der", NULL, "verified=0 binding=0" },
		{ "lookalike.der", "twin.der", "verified=0 binding=0" },
		{ "server-only.der", NULL, "verified=0 binding=0" },
	};
	struct scene *s = *state;
	size_t i;

	start(s, "127.0.0.1");
	for (i = 0; i < ARRAY_LEN(row); i++) {
		BUF fields = BUF_INIT;
		struct heard h;

		put_cert(s, "Client-Cert", row[i].own, &fields);
		if (row[i].chain)
			put_cert(s, "Client-Cert-Chain", row[i].chain, &fields);
		h = ask(s, buf_cstr(&fields));
		if (h.status != 200 || !strstr(h.body, row[i].says) ||
		    !strstr(h.body, row[i].chain ? "certs=2" : "certs=1"))
			fail_msg("%s: %d %s", row[i].own, h.status, h.body);
	}
	assert_non_null(strstr(ask(s, "").body, "certs=0 leaf=0 verified=0 binding=0"));
	fixture_stop(&s->f);
}

/* One connection carries many clients: nothing of one is told of the next. */
static void clients_take_turns(void **state)
{
	struct scene *s = *state;
	BUF fields = BUF_INIT;
	BUF text = BUF_INIT;
	struct heard h;
	int fd;

	start(s, "127.0.0.1");
	put_cert(s, "Client-Cert", "good.der", &fields);
	buf_printf(&text, "GET /certs HTTP/1.1\r\nHost: a\r\n%s\r\n", buf_cstr(&fields));
	buf_put_str(&text, "GET /certs HTTP/1.1\r\nHost: a\r\n\r\n");
	fd = fixture_connect(&s->f);
	say(fd, buf_cstr(&text));
	h = hear(fd);
	assert_non_null(strstr(h.body, "certs=1"));
	assert_non_null(strstr(h.body, "verified=1"));
	h = hear(fd);
	assert_non_null(strstr(h.body, "certs=0"));
	(void)close(fd);
	fixture_stop(&s->f);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *fields;
		int status;
		const char *says;
	} row[] = {
		{ "Client-Cert: garbage\r\n", 400, "no byte sequence" },
		{ "Client-Cert: :AQI=:\r\n", 400, "number 1 is no certificate" },
		{ "Client-Cert: :AQI=:\r\nClient-Cert: :AQI=:\r\n", 400, "twice" },
		{ "Client-Cert-Chain: :AQI=:\r\n", 400, "without Client-Cert" },
	};
	struct scene *s = *state;
	BUF fields = BUF_INIT;
	unsigned before;
	struct heard h;
	size_t i;

	start(s, "127.0.0.1");
	before = atomic_load(&s->f.handled);
	for (i = 0; i < ARRAY_LEN(row); i++) {
		h = ask(s, row[i].fields);
		if (h.status != row[i].status || !strstr(h.body, row[i].says))
			fail_msg("row %zu: %d %s", i, h.status, h.body);
	}
	/* a good one with a word behind it */
	put_cert(s, "Client-Cert", "good.der", &fields);
	put_cert(s, "Client-Cert-Chain", "root.key", &fields);
	assert_int_equal(ask(s, buf_cstr(&fields)).status, 400);
	assert_int_equal(atomic_load(&s->f.handled), before);
	fixture_stop(&s->f);
}

/* The only reason to send the field is to be someone else. */
static void strangers_tell_nothing(void **state)
{
	struct scene *s = *state;
	BUF fields = BUF_INIT;
	struct heard h;

	start(s, "192.0.2.1");
	put_cert(s, "client-cert", "good.der", &fields);
	h = ask(s, buf_cstr(&fields));
	assert_int_equal(h.status, 403);
	assert_non_null(strstr(h.body, "tls_proxy.trusted"));
	assert_int_equal(ask(s, "Client-Cert:\r\n").status, 403);
	assert_int_equal(ask(s, "Client-Cert-Chain: x\r\n").status, 403);
	assert_non_null(strstr(ask(s, "").body, "certs=0"));
	assert_int_equal(atomic_load(&s->f.handled), 1);
	fixture_stop(&s->f);
}

/* Where no proxy is set the field is one of many. */
static void nobody_listens_elsewhere(void **state)
{
	const struct http_server_config c = fixture_config();
	struct scene *s = *state;
	BUF fields = BUF_INIT;

	fixture_start(&s->f, &c);
	put_cert(s, "Client-Cert", "good.der", &fields);
	assert_non_null(strstr(ask(s, buf_cstr(&fields)).body, "certs=0"));
	fixture_stop(&s->f);
}

/* A hop over TLS: the proxy's own certificate and channel are not the client's. */
static void the_proxy_is_not_its_client(void **state)
{
	struct scene *s = *state;
	struct tls_server_config config = { .clients = TLS_CLIENTS_REQUEST };
	struct tls_server *tls = NULL;
	char cert[TLS_PATH], out[16384];
	const char *at;

	tls_path(s->dir, "server.pem", cert);
	config.certificate = cert;
	config.key = tls_key(s->dir, "server.key");
	assert_int_equal(tls_server_new(&tls, &config, NULL), OK);
	start_listener(s, "127.0.0.1", tls);
	assert_true(tls_run(s->dir, out, sizeof(out),
			    "printf 'GET /certs HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n"
			    "\\r\\n' | timeout 60 openssl s_client -connect 127.0.0.1:%u -ign_eof"
			    " -cert good.pem -key good.key 2>&1",
			    s->f.port));
	at = strstr(out, "certs=");
	assert_non_null(at);
	assert_memory_equal(at, "certs=0 leaf=0 verified=0 binding=0", 35);
	fixture_stop(&s->f);
	tls_server_free(tls);
	EVP_PKEY_free(config.key);
}

static void trust_changes(void **state)
{
	struct scene *s = *state;
	BUF fields = BUF_INIT;
	BUF der = BUF_INIT;
	char path[TLS_PATH];
	struct span ca;

	start(s, "127.0.0.1");
	put_cert(s, "Client-Cert", "stranger.der", &fields);
	assert_non_null(strstr(ask(s, buf_cstr(&fields)).body, "verified=0"));
	tls_path(s->dir, "foreign.der", path);
	assert_int_equal(file_read(path, 65536, &der, NULL), OK);
	ca = buf_span(&der);
	assert_int_equal(tls_verifier_trust(s->verifier, &ca, 1, NULL), OK);
	assert_non_null(strstr(ask(s, buf_cstr(&fields)).body, "verified=1"));
	assert_int_equal(tls_verifier_trust(s->verifier, NULL, 0, NULL), OK);
	assert_non_null(strstr(ask(s, buf_cstr(&fields)).body, "verified=0"));
	tls_path(s->dir, "good.key", path);
	assert_int_equal(tls_verifier_load(s->verifier, path, NULL), ERR_CONFIG);
	tls_path(s->dir, "root.pem", path);
	assert_int_equal(tls_verifier_load(s->verifier, path, NULL), OK);
	fixture_stop(&s->f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whom_the_handler_hears_of),
		cmocka_unit_test(clients_take_turns),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(strangers_tell_nothing),
		cmocka_unit_test(nobody_listens_elsewhere),
		cmocka_unit_test(the_proxy_is_not_its_client),
		cmocka_unit_test(trust_changes),
	};

	return cmocka_run_group_tests(tests, set_scene, strike_scene);
}
