/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate in 40 lines: cc enrol.c $(pkg-config --cflags --libs libscepter) */
#include <stdio.h>

#include <scepter/scepter.h>

static enum scepter_result enrol(struct scepter *s, char **arg, struct scepter_error *err)
{
	enum scepter_result r;

	if ((r = scepter_get_ca(s, err)) != SCEPTER_OK ||
	    (r = scepter_trust_fingerprint(s, arg[2], err)) != SCEPTER_OK ||
	    (r = scepter_open_key(s, "device.key", "rsa2048", err)) != SCEPTER_OK ||
	    (r = scepter_set_subject(s, arg[3], err)) != SCEPTER_OK ||
	    (r = scepter_set_challenge(s, arg[4], err)) != SCEPTER_OK ||
	    (r = scepter_enrol(s, err)) != SCEPTER_OK ||
	    (r = scepter_save_ca(s, "ca.pem", err)) != SCEPTER_OK)
		return r;
	return scepter_save_certificate(s, "device.pem", err);
}

int main(int argc, char **argv)
{
	struct scepter_error err = { SCEPTER_OK, "" };
	struct scepter *s = NULL;

	if (argc != 5) {
		fprintf(stderr, "usage: %s URL CA-SHA256 SUBJECT CHALLENGE\n", argv[0]);
		return 2;
	}
	if (scepter_new(&s, argv[1], &err) == SCEPTER_OK && enrol(s, argv, &err) == SCEPTER_OK)
		puts("device.pem is the certificate, ca.pem who issued it");
	else if (err.code == SCEPTER_ERR_AGAIN) /* the key is kept: run it again */
		fprintf(stderr, "not yet: %s\n", err.text);
	else
		fprintf(stderr, "%s: %s\n", scepter_result_name(err.code), err.text);
	scepter_free(s);
	return err.code == SCEPTER_OK ? 0 : 1;
}
