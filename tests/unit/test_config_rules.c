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
		{ GOOD "login_failures: 10\n", ":16: login_failures: \"10\" is not a rate: write a "
					       "number up to 1000000, a slash "
					       "and a time, as in 60/m or 3/30d\n" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		refuses(*state, rows[i].text, rows[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses_with_line_and_remedy, setup, teardown),
	};

	return cmocka_run_group_tests_name("config_rules", tests, NULL, NULL);
}
