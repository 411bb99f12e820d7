/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate in 40 lines: cc enrol.c $(pkg-config --cflags --libs libscepter) */
#include <stdbool.h>
#include <stdio.h>

#include <scepter/scepter.h>

static bool enrol(struct scepter *s, char **arg, struct scepter_error *err)
{
	char challenge[256] = ""; /* not an argument, which other users could see */

	(void)!scanf("%255[^\n]", challenge);
	return scepter_get_ca(s, err) == SCEPTER_OK &&
	       scepter_trust_fingerprint(s, arg[2], err) == SCEPTER_OK &&
	       scepter_open_key(s, "device.key", "rsa2048", err) == SCEPTER_OK &&
	       scepter_set_subject(s, arg[3], err) == SCEPTER_OK &&
	       scepter_set_challenge(s, challenge, err) == SCEPTER_OK &&
	       scepter_enrol(s, err) == SCEPTER_OK &&
	       scepter_save_ca(s, "ca.pem", err) == SCEPTER_OK &&
	       scepter_save_certificate(s, "device.pem", err) == SCEPTER_OK;
}

int main(int argc, char **argv)
{
	struct scepter_error err = { SCEPTER_OK, "" };
	struct scepter *s = NULL;

	if (argc != 4) {
		fprintf(stderr, "usage: %s URL CA-SHA256 SUBJECT <CHALLENGE-FILE\n", argv[0]);
		return 2;
	}
	if (scepter_new(&s, argv[1], &err) == SCEPTER_OK && enrol(s, argv, &err))
		puts("device.pem is the certificate, ca.pem who issued it");
	else if (err.code == SCEPTER_ERR_AGAIN) /* the key is kept: run it again */
		fprintf(stderr, "not yet: %s\n", err.text);
	else
		fprintf(stderr, "%s: %s\n", scepter_result_name(err.code), err.text);
	scepter_free(s);
	return err.code == SCEPTER_OK ? 0 : 1;
}
