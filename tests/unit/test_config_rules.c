/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on who may come and how often, and what is unusual: what is refused. */
#include "config_fixture.h"

static void refuses_with_line_and_remedy(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ GOOD "challenges: {retention: 30}\n", ":16: challenges.retention: \"30\" is not "
							"a duration: write a number and one of s "
							"m h d w y, as in 90d\n" },
		{ HEAD
		  "http:\n  listeners:\n    - name: a\n      address: 127.0.0.1\n      port: 1\n"
		  "      proxies: {trusted: [192.0.2.1/24]}\n",
		  ":7: http.listeners[0].proxies.trusted[0]: \"192.0.2.1/24\": bits behind the "
		  "length are set; make it longer, or set them to 0\n" },
		{ HEAD
		  "http:\n  listeners:\n    - name: a\n      address: 127.0.0.1\n      port: 1\n"
		  "      proxies: {header: optional}\n",
		  ":7: http.listeners[0].proxies: \"trusted\" is missing\n" },
		{ GOOD "    addresses: [{allow: all}, {deny: 192.0.2.0/24}]\n",
		  ":16: endpoints[0].addresses[1]: never counts: addresses[0] has all of it, and "
		  "the first that has an address counts; put it in front of that, or remove it\n" },
		{ GOOD "    addresses: [{deny: 192.0.2.0/24}]\n",
		  ":16: endpoints[0].addresses: nobody could come: who is in no rule is refused; "
		  "end with {allow: all}, or allow some\n" },
		{ GOOD "    addresses: [{allow: all, deny: all}]\n",
		  ":16: endpoints[0].addresses[0]: write either allow or deny, as in {allow: "
		  "192.0.2.0/24}\n" },
		{ GOOD "    addresses: [{allow: router7.example}]\n",
		  ":16: endpoints[0].addresses[0].allow: \"router7.example\" is no address or "
		  "block "
		  "of them: write 192.0.2.0/24, 2001:db8::/32, 192.0.2.1 or all\n" },
		{ GOOD "    limits: {address: 60}\n",
		  ":16: endpoints[0].limits.address: \"60\" is not a rate: write a number up to "
		  "1000000, a slash and a time, as in 60/m or 3/30d\n" },
		{ HEAD HTTP PROFILES
		  "\nendpoints:\n  - name: a\n    protocol: scep\n    path: /a\n"
		  "    ca: a\n    profile: device\n"
		  "    authorisation: {allow_list_suffices: true, one_time: true}\n",
		  ":15: endpoints[0].authorisation.allow_list_suffices: needs allow_list: the name "
		  "of "
		  "the list\n"
		  "S:15: endpoints[0].authorisation.allow_list_suffices: asks for nothing else, so "
		  "that challenges mean nothing; remove it, or anyone, one_time, static and "
		  "accounts\n" },
		{ HEAD HTTP PROFILES "\nendpoints:\n  - name: a\n    protocol: scep\n    path: /a\n"
				     "    ca: a\n    profile: device\n"
				     "    authorisation: {allow_list: a b, anyone: true}\n",
		  ":15: endpoints[0].authorisation.allow_list: \"a b\" is no name: write 1 to 63 "
		  "of "
		  "A-Z, a-z, 0-9, '.', '_' and '-'\n"
		  "S:15: endpoints[0].authorisation.anyone: is not so with an allow_list; write "
		  "allow_list_suffices: true instead\n" },
		{ GOOD "    limits: {identity: 10}\n    quotas: {challenge: 1/x}\n",
		  ":16: endpoints[0].limits.identity: \"10\" is not a rate: write a number up to "
		  "1000000, a slash and a time, as in 60/m or 3/30d\n"
		  "S:17: endpoints[0].quotas.challenge: \"1/x\" is not a rate: write a number up "
		  "to "
		  "1000000, a slash and a time, as in 60/m or 3/30d\n" },
		{ HEAD HTTP "endpoints:\n  - {name: c, protocol: crl, path: /c, ca: a, quotas: "
			    "{identity: 1/d}}\n",
		  ":6: endpoints[0].quotas.identity: is for endpoints where devices enrol; remove "
		  "it\n" },
		{ GOOD "anomalies:\n  failures: 0/m\n  window: 0s\n  hours: [mon-fri 9-17]\n",
		  ":17: anomalies.failures: \"0/m\" is not a rate: write a number up to 1000000, a "
		  "slash and a time, as in 60/m or 3/30d\n"
		  "S:19: anomalies.hours[0]: \"mon-fri 9-17\" are no hours: write days and times "
		  "of "
		  "one day, as in \"mon-fri 07:00-19:00\" or \"sat 08:00-24:00\"\n"
		  "S:18: anomalies.window: must be a second at least\n" },
		{ HEAD HTTP PROFILES "\nendpoints:\n  - name: a\n    protocol: scep\n    path: /a\n"
				     "    ca: a\n    profile: device\n"
				     "    authorisation: {anyone: true}\n"
				     "    limits: {challenge: 1/m}\n",
		  ":16: endpoints[0].limits.challenge: counts by challenge or account, and this "
		  "endpoint takes none; count by identity\n" },
		{ HEAD HTTP "endpoints:\n  - {name: c, protocol: crl, path: /c/../d/., ca: a,\n"
			    "     legacy: md5-des, quirks: apple, approvers: 2}\n",
		  ":6: endpoints[0].path: \"/c/../d/.\" has \"..\" between slashes, which no "
		  "client "
		  "sends; write the path without it\n"
		  "S:6: endpoints[0].path: \"/c/../d/.\" has \".\" between slashes, which no "
		  "client "
		  "sends; write the path without it\n"
		  "S:7: endpoints[0].quirks: is for endpoints of protocol scep; remove it\n"
		  "S:7: endpoints[0].legacy: is for endpoints where devices enrol; remove it\n"
		  "S:7: endpoints[0].approvers: is for endpoints where devices enrol; remove "
		  "it\n" },
		{ HEAD HTTP "    - {name: all, address: 0.0.0.0, port: 8080}\n"
			    "    - {name: six, address: \"::\", port: 8080}\n",
		  ":5: http.listeners[1].port: 127.0.0.1 port 8080 is listeners[0]'s already; "
		  "choose another\n" },
		{ HEAD HTTP PROFILES
		  "\n    key_usage: [digitalSignature, digitalSignature]\n"
		  "    eku: [clientAuth, 1.3.6.1.5.5.7.3.2]\n    keys: [{kind: p256}, {kind: "
		  "p256}]\n"
		  "    san: [{type: DNS, choice: optional, max: 0}]\n"
		  "    crl_urls: [\"http://\", \"https:///x\", \"ldap:///cn=x\"]\n",
		  ":9: profiles[0].key_usage[1]: stands there twice; remove one\n"
		  "S:10: profiles[0].eku[1]: stands there twice; remove one\n"
		  "S:11: profiles[0].keys[1]: stands there twice; remove one\n"
		  "S:12: profiles[0].san[0].max: lets none in; write 1 or more, or choice: forbid\n"
		  "S:13: profiles[0].crl_urls[0]: \"http://\" is no URL that begins with http://, "
		  "https:// or ldap:// and names a host\n"
		  "S:13: profiles[0].crl_urls[1]: \"https:///x\" is no URL that begins with "
		  "http://, https:// or ldap:// and names a host\n" },
		{ HEAD HTTP PROFILES "\n    key_usage: []\n    keys: []\n",
		  ":9: profiles[0].key_usage: has 0 entries, must have 1 to 256\n"
		  "S:10: profiles[0].keys: has 0 entries, must have 1 to 8\n" },
		{ HEAD HTTP "profiles:\n  - {name: a, validity: soon, backdate: 5m,\n"
			    "     subject: [{type: CN, choice: required}]}\n",
		  ":6: profiles[0].validity: \"soon\" is not a duration: write a number and one of "
		  "s "
		  "m h d w y, as in 90d\n" },
		{ HEAD HTTP "endpoints:\n", ":5: endpoints: is empty, must be a list\n" },
		{ GOOD "user: nobody\nkeeper_user: no-such-user\n",
		  ":17: keeper_user: there is no user \"no-such-user\"; make one, as by adduser "
		  "--system no-such-user\n" },
		{ "data: /dev/null\n" HTTP, ":1: data: /dev/null is no directory\n" },
		{ "data: /nowhere/deep/down\n" HTTP,
		  ":1: data: /nowhere/deep: No such file or directory; make the directory that "
		  "/nowhere/deep/down is to be in\n" },
		{ GOOD "login_failures: 10\n", ":16: login_failures: \"10\" is not a rate: write a "
					       "number up to 1000000, a slash "
					       "and a time, as in 60/m or 3/30d\n" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		if (geteuid() == 0 || !strstr(rows[i].text, "no-such-user"))
			refuses(*state, rows[i].text, rows[i].want);
}

/* A profile by which a listener would never get its certificate. */
static void own_tls_profiles(void **state)
{
	static const struct {
		const char *profile;
		const char *says; /* NULL: it will do */
	} rows[] = {
		{ "eku: [serverAuth]\n    san: [{type: DNS, choice: optional}]", NULL },
		{ "san: [{type: DNS, choice: optional}]", NULL },
		{ "eku: [clientAuth]\n    san: [{type: DNS, choice: optional}]",
		  "eku: lacks serverAuth" },
		{ "eku: [serverAuth]", "DNS" },
		{ "san: [{type: DNS, choice: optional, pattern: www}]", "www" },
		{ "san: [{type: DNS, choice: optional}]\n    keys: [{kind: rsa}]", "P-256" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct config *c = NULL;
		BUF text = BUF_INIT;
		BUF said = BUF_INIT;

		buf_printf(&text,
			   HEAD HTTP "    - {name: t, address: 127.0.0.1, port: 1, tls: {ca: demo, "
				     "profile: device, names: [a.example]}}\n" PROFILES
				     "\n    %s\n" ENDPOINTS,
			   rows[i].profile);
		if ((load(*state, buf_cstr(&text), &c, &said) == OK) != !rows[i].says ||
		    (rows[i].says && !strstr(buf_cstr(&said), rows[i].says)))
			fail_msg("%s: %s", rows[i].profile, buf_cstr(&said));
		if (rows[i].says)
			assert_non_null(strstr(
			    buf_cstr(&said), ":5: http.listeners[1].tls.profile: by \"device\" "));
		if (c)
			config_unref(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses_with_line_and_remedy, setup, teardown),
		cmocka_unit_test_setup_teardown(own_tls_profiles, setup, teardown),
	};

	return cmocka_run_group_tests_name("config_rules", tests, NULL, NULL);
}
