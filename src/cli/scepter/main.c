/* SPDX-License-Identifier: Apache-2.0 */
/* scepter: the device's program. */
#include "cli/scepter/commands.h"

int main(int argc, char **argv)
{
	const struct cli_command commands[] = { scepter_enrol,  scepter_poll,      scepter_renew,
						scepter_getca,  scepter_getnextca, scepter_getcert,
						scepter_getcrl, scepter_decode,    { 0 } };
	const struct cli_program program = {
		.name = "scepter",
		.summary = "Get a certificate for this device, and look into what is said on the "
			   "way.",
		.examples = "scepter getca --url http://ca.example/scep/demo\n"
			    "scepter enrol --url http://ca.example/scep/demo --ca-fingerprint "
			    "3f9a... \\\n"
			    "    --challenge-file challenge --subject CN=router7 \\\n"
			    "    --key router7.key --cert router7.pem --ca ca.pem\n"
			    "scepter decode captured.bin\n",
		.commands = commands,
	};

	return cli_main(&program, argc, argv);
}
