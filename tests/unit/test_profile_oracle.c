/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate made by a profile, as OpenSSL reads it. */
#include "profile_fixture.h"

/* ---- as OpenSSL reads the certificate ---- */

static char **one_url(const char *url)
{
	char **urls = calloc(1, sizeof(*urls));

	assert_non_null(urls);
	urls[0] = strdup(url);
	return urls;
}

static void issue(const struct profile_result *names, struct buf *cert)
{
	uint8_t serial[ISSUE_SERIAL];
	struct cert_template t = { .serial = SPAN_ARRAY(serial),
				   .sig_alg = sig_alg_for(KEY_EC_P256),
				   .issuer = buf_span(&fix.issuer),
				   .not_before = names->not_before,
				   .not_after = names->not_after,
				   .subject = buf_span(&names->subject),
				   .spki = key_spki(fix.device),
				   .exts = buf_span(&names->exts) };
	struct err err = { 0 };

	assert_int_equal(issue_serial(serial, NULL), OK);
	assert_true(serial[0] >= 0x40 && serial[0] < 0x80);
	if (issue_certificate(&t, fix.ca, fix.c, cert, &err) != OK)
		fail_msg("%s", err.text);
}

static void print_by_openssl(struct span cert, char *text, size_t size)
{
	char path[] = "/tmp/scepter-profile-XXXXXX", command[128];
	int fd = mkstemp(path);
	FILE *pipe;
	size_t n;

	assert_int_equal(write(fd, cert.p, cert.len), (ssize_t)cert.len);
	(void)close(fd);
	(void)snprintf(command, sizeof(command),
		       "openssl x509 -inform DER -noout -text -nameopt RFC2253 -in %s", path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	n = fread(text, 1, size - 1, pipe);
	text[n] = '\0';
	assert_int_equal(pclose(pipe), 0);
	(void)unlink(path);
}

static void openssl_reads_what_was_meant(void **state)
{
	static const char *const asked[] = { "DNS:r7.example", "IP:2001:db8::7", NULL };
	static const char *const wanted[] = {
		"Subject: \n",
		"Issuer: CN=Test CA\n",
		"Not Before: Nov 21 20:34:00 2026 GMT",
		"Not After : Nov 21 20:34:00 2027 GMT",
		"X509v3 Basic Constraints: critical\n                CA:FALSE\n",
		"X509v3 Key Usage: critical\n                Digital Signature\n",
		"X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n",
		"X509v3 Subject Key Identifier: \n",
		"01:02:03:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00",
		"URI:http://ca.example/crl",
		"OCSP - URI:http://ca.example/ocsp",
		"CA Issuers - URI:http://ca.example/ca.crt",
		("X509v3 Subject Alternative Name: critical\n                DNS:r7.example, "
		 "IP Address:2001:DB8:0:0:0:0:0:7\n"),
	};
	CLEANUP(profile_freep)
	struct profile *p = new_profile(NULL, PROFILE_DROP, NULL, PROFILE_OPTIONAL);
	CLEANUP(profile_result_clear) struct profile_result got = { 0 };
	BUF cn = BUF_INIT;
	BUF exts = BUF_INIT;
	BUF cert = BUF_INIT;
	char text[8192];
	size_t i;

	(void)state;
	p->ekus = calloc(1, sizeof(*p->ekus));
	p->n_ekus = 1;
	buf_put(&p->ekus[0], OID_CLIENT_AUTH);
	p->cdp = one_url("http://ca.example/crl");
	p->ocsp = one_url("http://ca.example/ocsp");
	p->ca_issuers = one_url("http://ca.example/ca.crt");
	p->n_cdp = p->n_ocsp = p->n_ca_issuers = 1;
	assert_int_equal(name_parse_text("/CN=a", &cn, NULL), OK);
	put_asked(&exts, asked, SPAN_NONE);
	assert_int_equal(apply(p, buf_span(&cn), buf_span(&exts), &got, NULL), OK);
	issue(&got, &cert);
	print_by_openssl(buf_span(&cert), text, sizeof(text));
	for (i = 0; i < ARRAY_LEN(wanted); i++)
		if (!strstr(text, wanted[i]))
			fail_msg("\"%s\" is missing in\n%s", wanted[i], text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_reads_what_was_meant),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
