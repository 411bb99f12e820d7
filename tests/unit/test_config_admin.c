/* SPDX-License-Identifier: Apache-2.0 */
/* Who may use the admin API, and by what he is known, and endpoints of EST: what is refused. */
#include "config_fixture.h"

static void refuses_with_line_and_remedy(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ GOOD "operators:\n"
		       "  - {name: a}\n"
		       "  - {name: b, certificate: {subject: CN=b}}\n"
		       "  - {name: c, certificate: {sha256: 12}}\n"
		       "  - {name: d, certificate: {subject: b, issuer: CN=x}}\n"
		       "admin: {listeners: [plain, other]}\n",
		  ":21: admin.listeners[0]: listener \"plain\" is in the clear; give it tls (or "
		  "tls_proxy with operators: true), or name one that has\n"
		  "S:21: admin.listeners[1]: no listener is named \"other\" under "
		  "http.listeners\n"
		  "S:17: operators[0].name: has neither password nor certificate to be known by\n"
		  "S:18: operators[1].certificate: give sha256, or subject and issuer, to say "
		  "whose "
		  "certificate it is\n"
		  "S:19: operators[2].certificate: \"12\" is no SHA-256 of a certificate: 64 "
		  "hexadecimal digits, as \"openssl x509 -fingerprint -sha256\" shows them\n"
		  "S:20: operators[3].certificate: subject: name: '=' is missing after \"b\": "
		  "write it as "
		  "in CN=router7,O=Example\n" },
		{ GOOD "  - {name: e1, protocol: est, path: /est, ca: x, profile: device,\n"
		       "     authorisation: {anyone: true}, listeners: [plain]}\n"
		       "  - {name: e2, protocol: est, path: /.well-known/est/cacerts, ca: x,\n"
		       "     profile: device, authorisation: {certificates: true},\n"
		       "     est: {certificate_and_password: true, retry_after: 2d}}\n"
		       "  - {name: e3, protocol: scep, path: /x, ca: x, profile: device,\n"
		       "     authorisation: {accounts: true}, est: {channel_binding: off}}\n",
		  ":16: endpoints[1].path: EST clients look under /.well-known/est only: it must "
		  "be that, or a label behind it, as in /.well-known/est/sensors\n"
		  "S:17: endpoints[1].listeners: EST is spoken over TLS only; name listeners that "
		  "have tls, or tls_proxy\n"
		  "S:18: endpoints[2].path: an operation of EST has this name; choose another\n"
		  "S:18: endpoints[2].protocol: EST is spoken over TLS only; give a listener under "
		  "http.listeners a certificate and a key (tls)\n"
		  "S:19: endpoints[2].authorisation: renewal, certificates and registrars mean "
		  "client certificates, which no listener of this endpoint asks for: set "
		  "tls.client_certificates: request there\n"
		  "S:20: endpoints[2].est.certificate_and_password: needs "
		  "authorisation.certificates: true, and one of accounts, one_time and static\n"
		  "S:20: endpoints[2].est.retry_after: must be from 1s to 1d\n"
		  "S:22: endpoints[3].est: is for endpoints of protocol est; remove it\n"
		  "S:22: endpoints[3].authorisation: accounts, certificates and registrars are for "
		  "endpoints of protocol est; remove them\n" },
		{ HEAD HTTP
		  "    - {name: b, address: 127.0.0.2, port: 1, tls: {certificate: /dev/null,\n"
		  "       key: /dev/null, client_certificates: wish}}\n",
		  ":6: http.listeners[1].tls.client_certificates: \"wish\" is not one of: none, "
		  "request, require\n" },
		{ HEAD HTTP
		  "    - {name: b, address: 127.0.0.2, port: 1, tls: {certificate: /dev/null,\n"
		  "       key: /dev/null, client_ca: /none.pem}}\n",
		  ":6: http.listeners[1].tls.client_ca: /none.pem: No such file or directory\n"
		  "S:6: http.listeners[1].tls.client_ca: no client is asked for a certificate; set "
		  "client_certificates to request or require\n" },
		{ HEAD HTTP
		  "    - {name: b, address: 127.0.0.2, port: 1, tls: {certificate: /dev/null,\n"
		  "       key: /dev/null, client_certificates: require, client_ca: /dev/null,\n"
		  "       client_authority: demo}}\n",
		  ":7: http.listeners[1].tls.client_authority: stands beside client_ca; remove one "
		  "of them\n" },
		{ HEAD HTTP
		  "    - {name: b, address: 127.0.0.2, port: 1, tls: {certificate: /dev/null,\n"
		  "       key: /dev/null, client_authority: demo}}\n",
		  ":6: http.listeners[1].tls.client_authority: no client is asked for a "
		  "certificate; set client_certificates to request or require\n" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		refuses(*state, rows[i].text, rows[i].want);
}

static void takes_the_default_socket(void **state)
{
	const struct config *c = NULL;
	BUF complaints = BUF_INIT;

	assert_int_equal(load(*state, GOOD "admin: {}\n", &c, &complaints), OK);
	assert_non_null(strstr(c->admin_socket, "/admin.sock"));
	assert_int_equal(c->admin_listeners, 0);
	config_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses_with_line_and_remedy, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_the_default_socket, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
