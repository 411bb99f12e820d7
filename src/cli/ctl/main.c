/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl: the administrator's program. */
#include "cli/ctl/commands.h"

int main(int argc, char **argv)
{
	static const struct cli_option globals[] = {
		{ "--socket", CLI_TEXT, offsetof(struct ctl_globals, socket), "PATH",
		  "admin socket of scepterd; default $SCEPTER_SOCKET, then " CTL_SOCKET },
		{ "--url", CLI_TEXT, offsetof(struct ctl_globals, url), "URL",
		  "its admin API over HTTPS instead: https://host:port; default $SCEPTER_URL" },
		{ "--cert", CLI_TEXT, offsetof(struct ctl_globals, cert), "FILE",
		  "with --url: your certificate (PEM); default $SCEPTER_CERT" },
		{ "--key", CLI_TEXT, offsetof(struct ctl_globals, key), "FILE",
		  "its private key; before the command; default $SCEPTER_KEY" },
		{ "--ca", CLI_TEXT, offsetof(struct ctl_globals, ca), "FILE",
		  "of the server's TLS certificate; before the command; default $SCEPTER_CA, then "
		  "the system's" },
		{ "--user", CLI_TEXT, offsetof(struct ctl_globals, user), "NAME",
		  "with --url: your name, in place of a certificate; default $SCEPTER_USER" },
		{ "--password-file", CLI_TEXT, offsetof(struct ctl_globals, password_file), "FILE",
		  "with your password, - for standard input; default $SCEPTER_PASSWORD_FILE" },
		{ 0 },
	};
	const struct cli_command commands[] = { ctl_status,  ctl_ca,    ctl_challenge, ctl_device,
						ctl_request, ctl_cert,  ctl_key,       ctl_crl,
						ctl_explain, ctl_audit, ctl_backup,    { 0 } };
	const struct cli_program program = {
		.name = "scepterctl",
		.summary = "Run a Scepter server: its CAs, challenges, requests and certificates.",
		.examples = "scepterctl status\n"
			    "scepterctl ca init demo --subject \"CN=Demo CA,O=Example\"\n"
			    "scepterctl challenge new --endpoint demo\n"
			    "scepterctl cert list --limit 20\n"
			    "scepterctl explain 7A9C1F0E55D2\n"
			    "scepterctl --url https://ca.example:8443 --cert me.pem --key me.key "
			    "--ca ca.pem request list\n",
		.commands = commands,
		.globals = globals,
		.globals_size = sizeof(struct ctl_globals),
	};

	return cli_main(&program, argc, argv);
}
