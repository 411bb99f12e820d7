/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl: the administrator's program. */
#include "cli/ctl/commands.h"

int main(int argc, char **argv)
{
	static const struct cli_option globals[] = {
		{ "--socket", CLI_TEXT, offsetof(struct ctl_globals, socket), "PATH",
		  "admin socket of scepterd; default $SCEPTER_SOCKET, then " CTL_SOCKET },
		{ 0 },
	};
	const struct cli_command commands[] = { ctl_status,  ctl_ca,   ctl_challenge, ctl_device,
						ctl_request, ctl_cert, ctl_crl,       ctl_explain,
						ctl_audit,   { 0 } };
	const struct cli_program program = {
		.name = "scepterctl",
		.summary = "Run a Scepter server: its CAs, challenges, requests and certificates.",
		.examples = "scepterctl status\n"
			    "scepterctl ca init demo --subject \"CN=Demo CA,O=Example\"\n"
			    "scepterctl challenge new --endpoint demo\n"
			    "scepterctl cert list --limit 20\n"
			    "scepterctl explain 7A9C1F0E55D2\n",
		.commands = commands,
		.globals = globals,
		.globals_size = sizeof(struct ctl_globals),
	};

	return cli_main(&program, argc, argv);
}
