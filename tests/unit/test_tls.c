/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS listener, spoken to by openssl(1) and by libcurl; and what it says of wrong files. */
#include "http_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/http_client.h"
#include "net/tls.h"
#include "tls_fixture.h"

struct scene {
	char dir[TLS_DIR];
	char cert[64];
	EVP_PKEY *key;
	struct tls_server *tls;
	struct fixture f;
};

static const char make_files[] =
    "(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem"
    " -out cert.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    " -days 2 &&"
    " openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.pem &&"
    " openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem &&"
    " openssl pkey -in key.pem -aes128 -passout pass:x -out locked.pem &&"
    " echo garbage > garbage.pem && echo > empty.pem) 2>&1";

static int set_scene(void **state)
{
	static struct scene s;
	struct http_server_config c = fixture_config();
	struct tls_server_config tls = { 0 };

	tls_fixture_begin(s.dir, make_files);
	tls_path(s.dir, "cert.pem", s.cert);
	s.key = tls_key(s.dir, "key.pem");
	tls.certificate = s.cert;
	tls.key = s.key;
	assert_int_equal(tls_server_new(&s.tls, &tls, NULL), OK);
	c.limits.body_bytes = 1 << 20;
	fixture_start_with(&s.f, &c, false, s.tls);
	*state = &s;
	return 0;
}

static int strike_scene(void **state)
{
	struct scene *s = *state;

	fixture_stop(&s->f);
	tls_server_free(s->tls);
	EVP_PKEY_free(s->key);
	tls_fixture_end(s->dir);
	return 0;
}

#define GET_PEER "GET /peer HTTP/1.1\\r\\nHost: a\\r\\n"
#define LAST "Connection: close\\r\\n\\r\\n"

static bool s_client(struct scene *s, char *out, size_t size, const char *options)
{
	return tls_run(
	    s->dir, out, size,
	    "printf '" GET_PEER "\\r\\n" GET_PEER LAST "' | timeout 60 openssl s_client"
	    " -connect 127.0.0.1:%u -CAfile cert.pem -verify_return_error -ign_eof %s 2>&1",
	    s->f.port, options);
}

/*
 * Older versions have no suite of ours either: that it is the version that is refused, the alert
 * tells.
 */
static void versions_and_suites(void **state)
{
	static const char version[] = "alert protocol version", suite[] = "alert handshake failure";
	static const struct {
		const char *options;
		const char *alert; /* NULL: it works */
	} row[] = {
		{ "-tls1_3", NULL },
		{ "-tls1_2", NULL },
		{ "-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256", NULL },
		{ "-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305", NULL },
		{ "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256", suite },
		{ "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA", suite },
		{ "-tls1_2 -cipher aNULL:@SECLEVEL=0", suite },
		{ "-tls1_2 -cipher eNULL:@SECLEVEL=0", suite },
		{ "-tls1_1 -cipher ALL:@SECLEVEL=0", version },
		{ "-tls1 -cipher ALL:@SECLEVEL=0", version },
	};
	struct scene *s = *state;
	char out[16384];
	size_t i;

	for (i = 0; i < ARRAY_LEN(row); i++) {
		bool works = !row[i].alert;
		bool worked = s_client(s, out, sizeof(out), row[i].options);
		const char *answer = strstr(out, "tcp 127.0.0.1 port uid=-1 tls=1");

		if (worked != works || (answer != NULL) != works ||
		    (!works && !strstr(out, row[i].alert)))
			fail_msg("%s: %s", row[i].options, out);
		/* both requests of the one connection */
		assert_true(!answer || strstr(answer + 1, "tls=1"));
	}
}

/* AES-128 where the client can: it asks for AES-256 first, and costs more. */
static void the_cheaper_suite_is_chosen(void **state)
{
	static const struct {
		const char *options, *suite;
	} row[] = {
		{ "-tls1_3", "TLS_AES_128_GCM_SHA256" },
		{ "-tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384" },
		{ "-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256",
		  "TLS_CHACHA20_POLY1305_SHA256" },
		{ "-tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256" },
	};
	char out[16384];
	size_t i;

	for (i = 0; i < ARRAY_LEN(row); i++) {
		assert_true(s_client(*state, out, sizeof(out), row[i].options));
		if (!strstr(out, row[i].suite))
			fail_msg("%s: %s", row[i].options, out);
	}
}

/* macOS shows a leaf only, and Windows fails, when a SCEP server asks for a certificate. */
static void no_client_certificate_is_asked_for(void **state)
{
	char out[16384];

	assert_true(s_client(*state, out, sizeof(out), "-tls1_2 -msg"));
	assert_non_null(strstr(out, "ServerHelloDone"));
	assert_null(strstr(out, "CertificateRequest"));
	assert_true(s_client(*state, out, sizeof(out), "-tls1_3 -msg"));
	assert_non_null(strstr(out, "EncryptedExtensions"));
	assert_null(strstr(out, "CertificateRequest"));
}

static void sessions_are_resumed(void **state)
{
	char out[16384];

	assert_true(s_client(*state, out, sizeof(out), "-tls1_2 -sess_out s.pem"));
	assert_non_null(strstr(out, "New, TLSv1.2"));
	assert_true(s_client(*state, out, sizeof(out), "-tls1_2 -sess_in s.pem"));
	assert_non_null(strstr(out, "Reused, TLSv1.2"));
}

static void curl_do(struct scene *s, const char *ca, const char *path, struct span body,
		    enum result want, struct http_client_reply *r, struct err *err)
{
	struct http_client_config config = { .ca_file = ca };
	struct http_client_request req = { .method = body.len ? "POST" : "GET", .body = body };
	struct http_client *c = NULL;
	char url[64];

	(void)snprintf(url, sizeof(url), "https://localhost:%u%s", s->f.port, path);
	req.url = url;
	assert_int_equal(http_client_new(&c, &config, NULL), OK);
	if (http_client_do(c, &req, r, err) != want)
		fail_msg("%s: %s", path, err->text);
	http_client_free(c);
}

/* Larger than any buffer on the way, in both directions. */
static void large_bodies(void **state)
{
	struct http_client_reply r = { 0 };
	struct scene *s = *state;
	struct err err = { 0 };
	BUF body = BUF_INIT;
	size_t i;

	for (i = 0; i < 1 << 20; i++)
		buf_put_byte(&body, (uint8_t)(i * 7 >> 3));
	curl_do(s, s->cert, "/echo", buf_span(&body), OK, &r, &err);
	assert_int_equal(r.status, 200);
	assert_true(span_eq(buf_span(&r.body), buf_span(&body)));
	http_client_reply_clear(&r);
	buf_put_byte(&body, 0);
	curl_do(s, s->cert, "/echo", buf_span(&body), OK, &r, &err);
	assert_int_equal(r.status, 413);
	http_client_reply_clear(&r);
}

static void client_checks_the_server(void **state)
{
	struct http_client_reply r = { 0 };
	struct scene *s = *state;
	struct err err = { 0 };
	char path[64];

	curl_do(s, NULL, "/hello", SPAN_NONE, ERR_IO, &r, &err);
	assert_non_null(strstr(err.text, "not trusted"));
	tls_path(s->dir, "none.pem", path);
	curl_do(s, path, "/hello", SPAN_NONE, ERR_CONFIG, &r, &err);
	assert_non_null(strstr(err.text, "CA file"));
}

/* No handshake, half of one, plain HTTP: none of them keeps its place for long. */
static void strangers_are_dropped(void **state)
{
	static const char *const texts[] = { "", "\x16\x03\x01\x02", "GET / HTTP/1.1\r\n\r\n",
					     "\x16\x03\x01\xff\xff\xff\xff\xff\xff\xff\xff" };
	struct http_server_config c = fixture_config();
	struct scene *s = *state;
	struct fixture f;
	int fd[ARRAY_LEN(texts)];
	size_t i;
	char last;

	c.limits.header_seconds = 1;
	fixture_start_with(&f, &c, false, s->tls);
	for (i = 0; i < ARRAY_LEN(texts); i++) {
		fd[i] = fixture_connect(&f);
		say(fd[i], texts[i]);
	}
	for (i = 0; i < ARRAY_LEN(texts); i++) {
		/* an alert may come first */
		while (fixture_recv(fd[i], &last, 1, 0) > 0)
			;
		(void)close(fd[i]);
	}
	fixture_await_connections(&f, 0);
	fixture_stop(&f);
}

static void wrong_files_are_named(void **state)
{
	static const struct {
		const char *cert, *key;
		enum result result;
		const char *says;
	} row[] = {
		{ "none.pem", "key.pem", ERR_IO, "none.pem: No such file" },
		{ "garbage.pem", "key.pem", ERR_CONFIG, "garbage.pem: not a chain" },
		{ "empty.pem", "key.pem", ERR_CONFIG, "empty.pem: not a chain" },
		{ "key.pem", "key.pem", ERR_CONFIG, "key.pem: not a chain" },
		{ "cert.pem", "other.pem", ERR_CONFIG, "does not belong" },
		{ "cert.pem", "rsa.pem", ERR_CONFIG, "does not belong" },
	};
	struct scene *s = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(row); i++) {
		EVP_PKEY *key = tls_key(s->dir, row[i].key);
		struct tls_server *t = NULL;
		struct err err = { 0 };
		char cert[64];

		tls_path(s->dir, row[i].cert, cert);
		if (tls_server_new(&t,
				   &(struct tls_server_config){ .certificate = cert, .key = key },
				   &err) != row[i].result ||
		    !strstr(err.text, row[i].says))
			fail_msg("row %zu: %s", i, err.text);
		assert_null(t);
		EVP_PKEY_free(key);
	}
}

/* The subject of the certificate that a new connection gets. */
static void subject_shown(struct scene *s, char *out, size_t size)
{
	assert_true(tls_run(s->dir, out, size,
			    "timeout 60 openssl s_client -connect 127.0.0.1:%u </dev/null 2>&1"
			    " | openssl x509 -noout -subject 2>&1",
			    s->f.port));
}

static void a_renewed_certificate_is_shown(void **state)
{
	struct scene *s = *state;
	struct tls_server_config tls = { 0 };
	struct tls_server *fresh = NULL;
	char out[4096], path[64];

	assert_true(tls_run(s->dir, out, sizeof(out),
			    "openssl req -x509 -key rsa.pem -out new.pem -subj /CN=renewed -days 2"
			    " 2>&1"));
	tls_path(s->dir, "new.pem", path);
	tls.certificate = path;
	tls.key = tls_key(s->dir, "rsa.pem");
	assert_int_equal(tls_server_new(&fresh, &tls, NULL), OK);
	subject_shown(s, out, sizeof(out));
	assert_non_null(strstr(out, "localhost"));
	tls_server_swap(s->tls, fresh);
	subject_shown(s, out, sizeof(out));
	assert_non_null(strstr(out, "renewed"));
	tls_server_swap(s->tls, fresh);
	subject_shown(s, out, sizeof(out));
	assert_non_null(strstr(out, "localhost"));
	tls_server_free(fresh);
	EVP_PKEY_free(tls.key);
}

/* What `openssl s_client -status` is shown beside the certificate. */
static bool is_stapled(struct scene *s, const char *options)
{
	char out[16384];

	assert_true(tls_run(s->dir, out, sizeof(out),
			    "timeout 60 openssl s_client -connect 127.0.0.1:%u -status %s"
			    " </dev/null 2>&1",
			    s->f.port, options));
	return !strstr(out, "OCSP response: no response sent");
}

static void a_staple_is_shown_while_it_lasts(void **state)
{
	static const char *const versions[] = { "-tls1_2", "-tls1_3" };
	struct scene *s = *state;
	const struct clock clock = CLOCK_SYSTEM;
	int64_t now = clock_now(&clock);
	size_t i;

	for (i = 0; i < ARRAY_LEN(versions); i++) {
		assert_false(is_stapled(s, versions[i]));
		/* the server does not look into it */
		assert_int_equal(
		    tls_server_staple(s->tls, SPAN_LIT("\x30\x03\x0a\x01\x03"), now + 60, NULL),
		    OK);
		assert_true(is_stapled(s, versions[i]));
		assert_int_equal(
		    tls_server_staple(s->tls, SPAN_LIT("\x30\x03\x0a\x01\x03"), now, NULL), OK);
		assert_false(is_stapled(s, versions[i]));
	}
	assert_int_equal(tls_server_staple(s->tls, SPAN_NONE, 0, NULL), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_and_suites),
		cmocka_unit_test(the_cheaper_suite_is_chosen),
		cmocka_unit_test(no_client_certificate_is_asked_for),
		cmocka_unit_test(sessions_are_resumed),
		cmocka_unit_test(large_bodies),
		cmocka_unit_test(client_checks_the_server),
		cmocka_unit_test(strangers_are_dropped),
		cmocka_unit_test(wrong_files_are_named),
		cmocka_unit_test(a_renewed_certificate_is_shown),
		cmocka_unit_test(a_staple_is_shown_while_it_lasts),
	};

	(void)setenv("no_proxy", "*", 1);
	return cmocka_run_group_tests(tests, set_scene, strike_scene);
}
