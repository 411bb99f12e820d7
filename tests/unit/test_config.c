/* SPDX-License-Identifier: Apache-2.0 */
#include "config_fixture.h"

#include "pki/ext.h"

static const char full[] =
    "data: ./demo\n"
    "user: nobody\n"
    "keeper_user: daemon\n"
    "log: {level: warning, access: false}\n"
    "admin: {socket: /run/scepter/admin.sock}\n"
    "http:\n"
    "  listeners:\n"
    "    - {name: plain, address: 127.0.0.1, port: 8080}\n"
    "    - {name: secure, address: \"::\", port: 8443}\n"
    "  loops: 2\n"
    "  workers: 3\n"
    "  limits: {body_bytes: 65536, header_seconds: 5, connections_per_address: 0}\n"
    "profiles:\n"
    "  - name: device\n"
    "    validity: 90d\n"
    "    backdate: 1h\n"
    "    key_usage: [digitalSignature]\n"
    "    eku: [clientAuth, 1.2.3.4]\n"
    "    keys: [{kind: rsa, min_bits: 3072}, {kind: ed25519}]\n"
    "    subject:\n"
    "      - {type: CN, choice: required, pattern: \"[a-z]+\"}\n"
    "      - {type: O, choice: fixed, value: Example}\n"
    "    other_subject: drop\n"
    "    san: [{type: DNS, choice: optional, max: 2}]\n"
    "    crl_urls: [\"http://pki.example/demo.crl\"]\n"
    "    renewal: {window: any, grace: 7d, same_names: false, new_key: required}\n"
    "endpoints:\n"
    "  - name: demo\n"
    "    protocol: scep\n"
    "    path: /scep/demo\n"
    "    ca: demo\n"
    "    profile: device\n"
    "    authorisation: {one_time: true, renewal: true}\n"
    "    approval: manual\n"
    "    approvers: 2\n"
    "    pending_lifetime: 2d\n"
    "    legacy: sha1-3des\n"
    "    include_ca: true\n"
    "    listeners: [secure]\n"
    "  - name: lab\n"
    "    protocol: scep\n"
    "    path: /scep\n"
    "    ca: lab\n"
    "    profile: device\n"
    "    authorisation: {anyone: true}\n"
    "  - name: mscep\n"
    "    protocol: scep\n"
    "    path: /certsrv/mscep/mscep.dll\n"
    "    ca: demo\n"
    "    profile: device\n"
    "    authorisation: {one_time: true}\n"
    "  - name: mscep-admin\n"
    "    protocol: ndes\n"
    "    path: /certsrv/mscep_admin\n"
    "    ca: demo\n"
    "    ndes: {endpoint: mscep, encoding: utf-8, lifetime: 2h, maximum: 9}\n";

static void fills_all_settings(void **state)
{
	const struct fixture *f = *state;
	const struct config *c = NULL;
	BUF complaints = BUF_INIT;
	const struct profile *p;
	char path[128];

	if (load(f, full, &c, &complaints) != OK)
		fail_msg("%s", buf_cstr(&complaints));
	(void)snprintf(path, sizeof(path), "%s/demo", f->folder);
	assert_string_equal(c->data, path);
	assert_string_equal(c->user, "nobody");
	assert_string_equal(c->keeper_user, "daemon");
	assert_string_equal(c->admin_socket, "/run/scepter/admin.sock");
	assert_int_equal(c->log_level, LOG_LEVEL_WARNING);
	assert_false(c->access_log);
	assert_int_equal(c->n_listeners, 2);
	assert_string_equal(c->listeners[1].address, "::");
	assert_int_equal(c->listeners[1].port, 8443);
	assert_int_equal(c->loops, 2);
	assert_int_equal(c->workers, 3);
	assert_int_equal(c->limits.body_bytes, 65536);
	assert_int_equal(c->limits.header_seconds, 5);
	assert_int_equal(c->limits.connections_per_address, 0);
	assert_int_equal(c->limits.idle_seconds, 60);
	p = c->profiles[0];
	assert_int_equal(p->validity, 90 * 86400);
	assert_int_equal(p->backdate, 3600);
	assert_int_equal(p->key_usage, KU_DIGITAL_SIGNATURE);
	assert_int_equal(p->n_ekus, 2);
	assert_int_equal(p->n_keys, 2);
	assert_int_equal(p->keys[0].min_bits, 3072);
	assert_int_equal(p->keys[0].max_bits, 4096);
	assert_int_equal(p->n_attrs, 2);
	assert_true(p->attrs[0].has_pattern);
	assert_string_equal(p->attrs[1].value, "Example");
	assert_int_equal(p->other_attrs, PROFILE_DROP);
	assert_int_equal(p->other_sans, PROFILE_FORBID);
	assert_int_equal(p->sans[0].max, 2);
	assert_string_equal(p->cdp[0], "http://pki.example/demo.crl");
	assert_true(p->renewal.allowed && !p->renewal.same_names);
	assert_int_equal(p->renewal.window, PROFILE_ANY_TIME);
	assert_int_equal(p->renewal.grace, 7 * 86400);
	assert_int_equal(p->renewal.new_key, PROFILE_KEY_REQUIRED);
	assert_int_equal(c->n_endpoints, 4);
	assert_false(c->endpoints[0].nocase);
	assert_int_equal(c->endpoints[3].protocol, CONFIG_NDES);
	assert_string_equal(c->endpoints[3].ndes.endpoint, "mscep");
	assert_int_equal(c->endpoints[3].ndes.encoding, NDES_UTF8);
	assert_int_equal(c->endpoints[3].ndes.form, CHALLENGE_HEX_64);
	assert_int_equal(c->endpoints[3].ndes.lifetime, 7200);
	assert_int_equal(c->endpoints[3].ndes.maximum, 9);
	assert_false(c->endpoints[3].ndes.allow_plain);
	assert_true(c->endpoints[0].scep.habits.include_ca && c->endpoints[0].scep.allow_sha1_3des);
	assert_false(c->endpoints[0].scep.allow_md5_des);
	assert_true(c->endpoints[0].scep.policy.manual);
	assert_int_equal(c->endpoints[0].scep.policy.approvers, 2);
	assert_int_equal(c->endpoints[0].scep.policy.pending_lifetime, 2 * 86400);
	assert_false(c->endpoints[1].scep.policy.manual);
	assert_true(c->endpoints[0].scep.policy.one_time && c->endpoints[0].scep.policy.renewal);
	assert_ptr_equal(c->endpoints[0].scep.policy.profile, p);
	assert_true(c->endpoints[1].scep.policy.accept_anyone);
	config_unref(c);
}

/* A make's settings, and one that is set beside it. */
static void quirks_are_settings(void **state)
{
	static const struct {
		const char *text;
		struct scep_habits want; /* include_ca, offer_post, require_nonce, asked_validity */
	} rows[] = {
		{ GOOD, { false, true, true, false } },
		{ GOOD "    quirks: juniper\n", { false, true, true, false } },
		{ GOOD "    quirks: palo-alto\n", { false, true, true, false } },
		{ GOOD "    quirks: cisco-ios\n", { true, true, true, false } },
		{ GOOD "    quirks: mikrotik\n", { false, true, false, false } },
		{ GOOD "    quirks: windows\n", { false, true, false, true } },
		{ GOOD "    quirks: android\n", { false, true, true, true } },
		{ GOOD "    quirks: cisco-ios\n    include_ca: false\n",
		  { false, true, true, false } },
		{ GOOD "    quirks: juniper\n    include_ca: true\n", { true, true, true, false } },
		{ GOOD "    quirks: windows\n    require_nonce: true\n    offer_post: false\n"
		       "    asked_validity: false\n",
		  { false, false, true, false } },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct config *c = NULL;
		const struct scep_habits *got;
		BUF complaints = BUF_INIT;

		if (load(*state, rows[i].text, &c, &complaints) != OK)
			fail_msg("%s", buf_cstr(&complaints));
		got = &c->endpoints[0].scep.habits;
		assert_int_equal(got->include_ca, rows[i].want.include_ca);
		assert_int_equal(got->offer_post, rows[i].want.offer_post);
		assert_int_equal(got->require_nonce, rows[i].want.require_nonce);
		assert_int_equal(got->asked_validity, rows[i].want.asked_validity);
		config_unref(c);
	}
}

/* Or each certificate would have expired when it is issued. */
static void of_a_short_validity_half_is_left(void **state)
{
	static const struct {
		const char *validity;
		int64_t backdate;
	} rows[] = { { "90d", 600 }, { "20m", 600 }, { "5m", 150 }, { "1s", 0 } };
	char text[2000];
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct config *c = NULL;
		BUF complaints = BUF_INIT;

		(void)snprintf(text, sizeof(text),
			       HEAD HTTP "profiles:\n  - {name: device, validity: %s, subject: "
					 "[{type: CN, choice: required}]}\n" ENDPOINTS,
			       rows[i].validity);
		if (load(*state, text, &c, &complaints) != OK)
			fail_msg("%s", buf_cstr(&complaints));
		assert_int_equal(c->profiles[0]->backdate, rows[i].backdate);
		config_unref(c);
	}
}

static void relies_on_defaults(void **state)
{
	const struct config *c = NULL;
	BUF complaints = BUF_INIT;

	if (load(*state, GOOD, &c, &complaints) != OK)
		fail_msg("%s", buf_cstr(&complaints));
	assert_true(c->access_log);
	assert_int_equal(c->log_level, LOG_LEVEL_INFO);
	assert_null(c->user);
	assert_non_null(strstr(c->admin_socket, "/d/admin.sock"));
	assert_int_equal(c->drain_seconds, 10);
	assert_int_equal(c->profiles[0]->key_usage, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(c->profiles[0]->n_keys, 3);
	assert_int_equal(c->profiles[0]->backdate, 600);
	assert_true(c->profiles[0]->renewal.allowed && c->profiles[0]->renewal.same_names);
	assert_int_equal(c->profiles[0]->renewal.window, 30 * 86400);
	assert_int_equal(c->profiles[0]->renewal.grace, 0);
	assert_false(c->endpoints[0].scep.policy.renewal);
	assert_int_equal(c->endpoints[0].listeners & 1, 1);
	config_unref(c);
}

static void refuses_with_line_and_remedy(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* behind the file's name */
	} rows[] = {
		{ "", ":1: the file is empty; see scepterd.yaml(5) for an example\n" },
		{ "data: [\n", ":2: not YAML: did not find expected node content while parsing a "
			       "flow node\n" },
		{ "data: x\n\thttp: y\n", ":2: not YAML: found a tab character that violates "
					  "indentation while scanning a plain scalar\n" },
		{ "- data\n", ":1: is a list, must be a group of settings\n" },
		{ GOOD "---\ndata: x\n",
		  ":16: a second document begins here; put all settings into one\n" },
		{ HTTP, ":1: \"data\" is missing\n" },
		{ HEAD, ":1: \"http\" is missing\n" },
		{ GOOD "bogus: 1\n",
		  ":16: unknown setting \"bogus\"; known here: data, user, keeper_user, log, "
		  "admin, keys, audit, challenges, anomalies, metrics, http, login_failures, "
		  "operators, cas, profiles, endpoints\n" },
		{ GOOD "data: ./e\n", ":16: data: stands twice; remove one\n" },
		{ "data:\n" HTTP, ":1: data: is empty; give a value or remove it\n" },
		{ "data: [a]\n" HTTP, ":1: data: is a list, must be a single value\n" },
		{ GOOD "log: {level: loud}\n",
		  ":16: log.level: \"loud\" is not a log level: debug, info, warning or error\n" },
		{ GOOD "log: {outputs: [{type: syslog}]}\n",
		  ":16: log.outputs[0].type: syslog needs \"host\", where the collector is\n" },
		{ GOOD "log: {outputs: [{type: stderr, host: a}]}\n",
		  ":16: log.outputs[0].type: only syslog has host, port, transport, "
		  "facility and enterprise\n" },
		{ GOOD "log: {outputs: [{type: journald, enterprise: 1}]}\n",
		  ":16: log.outputs[0].type: only syslog has host, port, transport, facility and "
		  "enterprise\n" },
		{ GOOD "log: {outputs: [{type: syslog, host: a, ca: s.yaml}]}\n",
		  ":16: log.outputs[0].ca: is of use with \"transport: tls\" only\n" },
		{ GOOD "log: {outputs: [{type: syslog, host: a, port: 65536}]}\n",
		  ":16: log.outputs[0].port: is no port: 1 to 65535\n" },
		{ GOOD "log: {outputs: [{type: syslog, host: a, facility: kern}]}\n",
		  ":16: log.outputs[0].facility: is none of daemon, auth, authpriv, local0 to "
		  "local7\n" },
		{ GOOD "log: {outputs: [{type: stderr, events: true}]}\n",
		  ":16: log.outputs[0].events: standard error has no events; follow them by "
		  "\"scepterctl audit tail --follow --json\"\n" },
		{ GOOD "audit: {checkpoint_events: 0}\n",
		  ":16: audit.checkpoint_events: 0 is not within 1 to 1000000\n" },
		{ GOOD "metrics: {}\n",
		  ":16: metrics: has neither port nor socket; write one of them\n" },
		{ GOOD "metrics: {port: 70000, address: a}\n",
		  ":16: metrics.address: \"a\" is no IPv4 or IPv6 address; write 0.0.0.0 or "
		  "\"::\" for all\n"
		  "S:16: metrics.port: 70000 is no port: 1 to 65535, or 0 for any free one\n" },
		{ GOOD "metrics: {port: 8080}\n",
		  ":16: metrics.port: 127.0.0.1 port 8080 is that of listener \"plain\" already; "
		  "metrics need one of their own\n" },
		{ GOOD "metrics: {port: 1, socket: a}\n",
		  ":16: metrics.socket: stands beside address or port; write either a Unix "
		  "socket or an address and its port\n" },
		{ GOOD "metrics: {socket: ./d/admin.sock}\n",
		  ":16: metrics.socket: is the admin socket already; choose another path\n" },
		{ HEAD HTTP "    - {name: metrics, address: 127.0.0.1, port: 8081}\n",
		  ":5: http.listeners[1].name: \"metrics\" is the name of the listener of metrics; "
		  "choose "
		  "another\n" },
		{ GOOD "log: {access: maybe}\n",
		  ":16: log.access: \"maybe\" is neither true nor false\n" },
		{ GOOD "log: {access: \"true\"}\n",
		  ":16: log.access: \"true\" in quotes is text, must be true or false: remove the "
		  "quotes\n" },
		{ GOOD "log: {access: 'no'}\n",
		  ":16: log.access: \"no\" in quotes is text, must be true or false: remove the "
		  "quotes\n" },
		{ GOOD "log: {acess: true}\n",
		  ":16: log: unknown setting \"acess\"; known here: level, access, outputs\n" },
		{ GOOD "user: scepter\n",
		  ":16: user: stands without keeper_user; the keeper is of use only as a user of "
		  "its own, so set both or none\n" },
		{ GOOD "user: a\nkeeper_user: a\n",
		  ":17: keeper_user: is \"a\" like user; give the keeper a user of its own, or the "
		  "server can read its keys\n" },
		{ HEAD "http: {listeners: []}\n",
		  ":2: http.listeners: has 0 entries, must have 1 to 32\n" },
		{ HEAD "http:\n  listeners:\n    - name: a\n      address: localhost\n"
		       "      port: 70000\n",
		  ":5: http.listeners[0].address: \"localhost\" is no IPv4 or IPv6 address; write "
		  "0.0.0.0 or \"::\" for all\n"
		  "S:6: http.listeners[0].port: 70000 is no port: 1 to 65535, or 0 for any free "
		  "one\n" },
		{ HEAD HTTP "    - {name: plain, address: 127.0.0.1, port: 8080}\n",
		  ":5: http.listeners[1].name: \"plain\" is the name of listeners[0] already; "
		  "choose another\n"
		  "S:5: http.listeners[1].port: 127.0.0.1 port 8080 is listeners[0]'s already; "
		  "choose another\n" },
		{ HEAD HTTP "    - {name: b, address: 127.0.0.1, port: 8o80}\n",
		  ":5: http.listeners[1].port: \"8o80\" is not a whole number in decimal digits, "
		  "up to 4294967295\n" },
		{ HEAD HTTP "    - {name: b, address: 127.0.0.1, port: \"8081\"}\n",
		  ":5: http.listeners[1].port: \"8081\" in quotes is text, must be a number: "
		  "remove "
		  "the quotes\n" },
		{ HEAD HTTP "    - {name: b, address: 127.0.0.1, port: -1}\n",
		  ":5: http.listeners[1].port: \"-1\" is not a whole number in decimal digits, up "
		  "to 4294967295\n" },
		{ HEAD HTTP
		  "    - {name: b, address: 127.0.0.2, port: 1, tls: {certificate: no.pem}}\n",
		  ":5: http.listeners[1].tls: needs a certificate and a key; or ca, profile and "
		  "names, for a certificate that the server issues to itself\n" },
		{ HEAD HTTP
		  "    - {name: b, address: 127.0.0.2, port: 1, tls: {certificate: /dev/null,\n"
		  "       key: /none.pem}}\n",
		  ":6: http.listeners[1].tls.key: /none.pem: No such file or directory\n" },
		{ HEAD HTTP "  limits: {body_bytes: 1}\n",
		  ":5: http.limits.body_bytes: 1 is not within 4096 to 67108864\n" },
		{ HEAD HTTP "  workers: 5000\n", ":5: http.workers: 5000 workers; at most 1024\n" },
		{ HEAD HTTP PROFILES "\n    validity: 2y\n",
		  ":9: profiles[0].validity: stands twice; remove one\n" },
		{ HEAD HTTP PROFILES "\n    backdate: 2y\n",
		  ":9: profiles[0].backdate: 2y is not less than validity (1y): the certificate "
		  "would have expired when it is issued\n" },
		{ HEAD HTTP PROFILES "\n    backdate: soon\n",
		  ":9: profiles[0].backdate: \"soon\" is not a duration: write a number and one of "
		  "s m h d w y, as in 90d\n" },
		{ HEAD HTTP PROFILES "\n    key_usage: [digitalSignature, keyCertSign]\n",
		  ":9: profiles[0].key_usage[1]: keyCertSign is a CA's and never a device's; "
		  "remove it\n" },
		{ HEAD HTTP PROFILES "\n    keys: [{kind: dsa}]\n",
		  ":9: profiles[0].keys[0].kind: \"dsa\" is not one of: rsa, p256, p384, p521, "
		  "ed25519, ml-dsa-44, ml-dsa-65, ml-dsa-87\n" },
		{ HEAD HTTP PROFILES "\n    keys: [{kind: p256, min_bits: 256}]\n",
		  ":9: profiles[0].keys[0]: P-256 keys have one size only; remove min_bits and "
		  "max_bits\n" },
		{ HEAD HTTP PROFILES "\n    keys: [{kind: rsa, min_bits: 512}]\n",
		  ":9: profiles[0].keys[0]: RSA from 512 to 4096 bits; write min_bits of at least "
		  "1024 and max_bits of at most 8192, and not below it\n" },
		{ HEAD HTTP PROFILES "\n    other_subject: fixed\n",
		  ":9: profiles[0].other_subject: \"fixed\" is not one of: forbid, drop, "
		  "optional\n" },
		{ HEAD HTTP PROFILES "\n    san: [{type: dns, choice: optional}]\n",
		  ":9: profiles[0].san[0].type: \"dns\" is not one of: DNS, IP, URI, email, UPN, "
		  "dirName, RID, otherName\n" },
		{ HEAD HTTP PROFILES "\n    san: [{type: DNS, choice: drop, pattern: x}]\n",
		  ":9: profiles[0].san[0].pattern: goes with choice optional or required only; "
		  "remove it\n" },
		{ HEAD HTTP PROFILES "\n    crl_urls: [ftp://x]\n",
		  ":9: profiles[0].crl_urls[0]: \"ftp://x\" is no URL that begins with http://, "
		  "https:// or ldap:// and names a host\n" },
		{ HEAD HTTP "profiles:\n  - name: d\n    validity: 1d\n    subject:\n"
			    "      - {type: CN, choice: fixed}\n      - {type: XX, choice: drop}\n"
			    "      - {type: CN, choice: optional, value: x}\n"
			    "      - {type: O, choice: optional, pattern: \"[\"}\n",
		  ":9: profiles[0].subject[0]: choice fixed needs a value\n"
		  "S:10: profiles[0].subject[1].type: \"XX\" is no attribute type: write a short "
		  "name like CN, or a dotted OID\n"
		  "S:11: profiles[0].subject[2].value: goes with choice fixed only; remove it\n"
		  "S:11: profiles[0].subject[2].type: \"CN\" has a rule in subject[0] already; "
		  "remove one\n"
		  "S:12: profiles[0].subject[3].pattern: pattern \"[\": Unmatched [, [^, [:, [., "
		  "or "
		  "[=; write a POSIX extended regular expression\n" },
		{ HEAD HTTP "profiles:\n  - name: d\n    validity: 1d\n",
		  ":6: profiles[0].subject: no certificate could have a name; take at least one "
		  "part of it, as in {type: CN, choice: required}\n" },
		{ HEAD HTTP PROFILES "\n" ENDPOINTS "    listeners: [none]\n",
		  ":16: endpoints[0].listeners[0]: no listener is named \"none\" under "
		  "http.listeners\n" },
		{ HEAD HTTP ENDPOINTS,
		  ":10: endpoints[0].profile: no profile is named \"device\"; under profiles there "
		  "is none\n" },
		{ GOOD "  - {name: demo, protocol: scep, path: /scep/demo, ca: demo,\n"
		       "     profile: other, authorisation: {}}\n",
		  ":16: endpoints[1].name: \"demo\" is the name of endpoints[0] already; choose "
		  "another\n"
		  "S:16: endpoints[1].path: \"/scep/demo\" is the path of endpoints[0] already; "
		  "choose another\n"
		  "S:17: endpoints[1].profile: no profile is named \"other\"; under profiles there "
		  "are: device\n"
		  "S:17: endpoints[1].authorisation: no device could ever enrol; set one_time: "
		  "true, or list a hash under static\n" },
		{ GOOD "  - {name: a b, protocol: acme, path: /x, ca: x, profile: device,\n"
		       "     authorisation: {one_time: true}}\n",
		  ":16: endpoints[1].protocol: \"acme\" is not one of: scep, crl, ocsp, ndes, "
		  "est\n" },
		{ GOOD "  - {name: a b, protocol: scep, path: x/, ca: X, profile: device,\n"
		       "     authorisation: {anyone: true, one_time: true}}\n",
		  ":16: endpoints[1].name: \"a b\" is no name: write 1 to 63 of A-Z, a-z, 0-9, "
		  "'.', "
		  "'_' and '-'\n"
		  "S:16: endpoints[1].path: \"x/\" must begin with '/', not end with it, and hold "
		  "letters, digits and -._~ between single slashes, as in /scep/demo\n"
		  "S:16: endpoints[1].ca: \"X\" is no CA's name: a-z, 0-9 and -\n"
		  "S:17: endpoints[1].authorisation.anyone: lets every device in, so that "
		  "challenges mean nothing; remove it, or one_time, static and accounts\n" },
		{ HEAD HTTP PROFILES "\n    crl_parts: 2\n",
		  ":9: profiles[0].crl_parts: goes with one URL under crl_urls, with {part} in "
		  "it\n" },
		{ HEAD HTTP PROFILES "\n    crl_urls: [\"http://c/{part}.crl\"]\n",
		  ":9: profiles[0].crl_urls[0]: has {part} in it: set crl_parts as the endpoint of "
		  "protocol crl has it\n" },
		{ HEAD HTTP PROFILES "\n    crl_urls: [\"http://c/{part}.crl\"]\n"
				     "    crl_parts: 2\n" ENDPOINTS
				     "  - {name: c, protocol: crl, path: /c, ca: demo,\n"
				     "     crl: {url: \"http://c\", parts: 3}}\n",
		  ":16: endpoints[0].profile: certificates of profile \"device\" name 2 parts of a "
		  "revocation list as http://c/{part}.crl; the CA's endpoint of protocol crl must "
		  "have the same crl.parts, and the crl.url that this begins with\n" },
		{ GOOD "  - {name: c, protocol: crl, path: /c, ca: demo}\n"
		       "  - {name: d, protocol: crl, path: /d, ca: demo, profile: device,\n"
		       "     crl: {url: \"https://x/\", interval: 9d, delta: soon, parts: 300}}\n"
		       "  - {name: e, protocol: crl, path: /e, ca: other, crl: {parts: 2}}\n"
		       "  - {name: f, protocol: scep, path: /f, ca: other, profile: device,\n"
		       "     authorisation: {anyone: true}, crl: {}, ocsp: {}}\n"
		       "  - {name: g, protocol: ocsp, path: /g, ca: demo, ocsp: {validity: 10s}}\n",
		  ":17: endpoints[2].protocol: crl and ocsp have neither a profile nor an "
		  "authorisation: everyone may ask; remove them\n"
		  "S:17: endpoints[2].ca: this CA has an endpoint of protocol crl already\n"
		  "S:18: endpoints[2].crl.delta: \"soon\" is not a duration: write a number and "
		  "one "
		  "of s m h d w y, as in 90d\n"
		  "S:18: endpoints[2].crl.url: must begin with http://, for whoever fetches a list "
		  "over TLS needs one first, and not end with '/'\n"
		  "S:18: endpoints[2].crl.parts: at most 256\n"
		  "S:18: endpoints[2].crl.interval: must be shorter than crl.validity, or there is "
		  "a "
		  "time without a valid list\n"
		  "S:19: endpoints[3].crl.parts: needs crl.url: a part says where it is (RFC 5280 "
		  "5.2.5)\n"
		  "S:21: endpoints[4].crl: is for endpoints of protocol crl; remove it\n"
		  "S:21: endpoints[4].ocsp: is for endpoints of protocol ocsp; remove it\n"
		  "S:22: endpoints[5].ocsp.validity: must be a minute at least and 30d at most\n" },
		{ HEAD HTTP PROFILES
		  "\n    renewal: {allowed: false, window: soon}\n" ENDPOINTS
		  "  - {name: x, protocol: scep, path: /x, ca: x, profile: device,\n"
		  "     authorisation: {renewal: true}}\n",
		  ":9: profiles[0].renewal.window: \"soon\" is not a duration: write a number and "
		  "one of s m h d w y, as in 90d\n"
		  "S:18: endpoints[1].authorisation.renewal: profile \"device\" does not allow it; "
		  "remove it, or renewal.allowed: false there\n" },
		{ GOOD "    quirks: nokia\n",
		  ":16: endpoints[0].quirks: \"nokia\" is not one of: android, apple, cisco-ios, "
		  "fortinet, juniper, lancom, mikrotik, palo-alto, windows\n" },
		{ GOOD "    approval: manual\n    quirks: windows\n",
		  ":17: endpoints[0].quirks: a validity asked for does not last through approval: "
		  "manual; set asked_validity: false\n" },
		{ GOOD "operators:\n"
		       "  - {name: o p, password: secret}\n"
		       "  - {name: o p, password: secret, roles: [king]}\n",
		  ":18: operators[1].roles[0]: \"king\" is not one of: challenge-issuer, "
		  "device, administrator, approver, auditor\n" },
		{ GOOD "  - {name: n, protocol: ndes, path: /n, ca: demo}\n"
		       "  - {name: m, protocol: ndes, path: /m, ca: demo, ndes: {endpoint: n}}\n"
		       "  - {name: o, protocol: ndes, path: /M, ca: other,\n"
		       "     ndes: {endpoint: demo, lifetime: 30s, reusable: true}}\n",
		  ":16: endpoints[1].ndes: is missing: its endpoint says who takes the "
		  "challenges\n"
		  "S:17: endpoints[2].ndes.endpoint: no endpoint of protocol scep has this name\n"
		  "S:18: endpoints[3].path: \"/M\" is the path of endpoints[2] already; choose "
		  "another\n"
		  "S:18: endpoints[3].ca: is not the CA of ndes.endpoint, whose thumbprint is "
		  "shown\n"
		  "S:19: endpoints[3].ndes.lifetime: must be from 1m to 7d\n"
		  "S:19: endpoints[3].ndes.reusable: there is one challenge, which does not "
		  "expire; remove lifetime and maximum\n"
		  "S:19: endpoints[3].ndes.reusable: a challenge that does not expire must be "
		  "long; set challenge: hex-128\n" },
		{ GOOD "    approvers: 2\n"
		       "  - {name: x, protocol: scep, path: /x, ca: x, profile: device,\n"
		       "     authorisation: {anyone: true}, approval: manual, approvers: 3,\n"
		       "     pending_lifetime: x}\n",
		  ":16: endpoints[0].approvers: goes with approval: manual only; remove it\n"
		  "S:18: endpoints[1].approvers: 3 is not 1 or 2\n"
		  "S:19: endpoints[1].pending_lifetime: \"x\" is not a duration: write a number "
		  "and "
		  "one of s m h d w y, as in 90d\n" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		refuses(*state, rows[i].text, rows[i].want);
}

static void bad_static_hashes_are_named_and_not_repeated(void **state)
{
	const struct config *c = NULL;
	BUF complaints = BUF_INIT;

	assert_int_equal(load(*state,
			      HEAD HTTP PROFILES
			      "\nendpoints:\n"
			      "  - {name: e, protocol: scep, path: /e, ca: e, profile: device,\n"
			      "     authorisation: {static:\n       [secret]}}\n",
			      &c, &complaints),
			 ERR_CONFIG);
	assert_non_null(
	    strstr(buf_cstr(&complaints), ":12: endpoints[0].authorisation.static[0]: "));
	/* it goes to the log, where no challenge is to be */
	assert_null(strstr(buf_cstr(&complaints), "secret"));
}

static void routes_by_longest_path(void **state)
{
	static const struct {
		size_t listener;
		const char *path;
		const char *want; /* endpoint; NULL: none */
	} rows[] = {
		{ 1, "/scep/demo", "demo" },
		{ 1, "/scep/demo/", "demo" },
		{ 1, "/scep/demo/pkiclient.exe", "demo" },
		{ 1, "/scep/demo/cgi-bin/pkiclient.exe", "demo" },
		{ 1, "//scep///demo//x", "demo" },
		{ 1, "/scep/demon", "lab" },
		{ 1, "/scep", "lab" },
		{ 1, "/scep/", "lab" },
		{ 1, "/scep/x", "lab" },
		{ 0, "/scep/demo", "lab" },
		{ 1, "/scepter", NULL },
		{ 1, "/SCEP", NULL },
		{ 1, "/", NULL },
		{ 1, "", NULL },
		{ 1, "scep", NULL },
		{ 1, "/x/scep/demo", NULL },
		{ 0, "/certsrv/mscep/mscep.dll", "mscep" },
		{ 0, "/CertSrv/mscep/MSCEP.dll/pkiclient.exe", "mscep" },
		{ 0, "/certsrv/mscep_admin", "mscep-admin" },
		{ 0, "/CERTSRV//mscep_admin/", "mscep-admin" },
		{ 0, "/certsrv/mscep", NULL },
	};
	const struct config *c = NULL;
	BUF complaints = BUF_INIT;
	size_t i;

	assert_int_equal(load(*state, full, &c, &complaints), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct config_endpoint *e =
		    config_route(c, rows[i].listener, span_str(rows[i].path));

		if (!e != !rows[i].want || (e && strcmp(e->name, rows[i].want) != 0))
			fail_msg("%s: %s", rows[i].path, e ? e->name : "none");
	}
	config_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fills_all_settings, setup, teardown),
		cmocka_unit_test_setup_teardown(relies_on_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(of_a_short_validity_half_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(quirks_are_settings, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_with_line_and_remedy, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_static_hashes_are_named_and_not_repeated, setup,
						teardown),
		cmocka_unit_test_setup_teardown(routes_by_longest_path, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
