/* SPDX-License-Identifier: Apache-2.0 */
/* scepter enrol: a key, a request, a certificate. */
#include <stddef.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "cli/scepter/commands.h"
#include "cli/scepter/wait.h"
#include "client/device.h"
#include "pki/name.h"

#define CHALLENGE_FILE_MAX 16384

struct opts {
	const char *protocol;
	const char *url;
	const char *ca_identifier;
	const char *fingerprint;
	bool first_use;
	const char *user;
	const char *challenge_file;
	const char *subject;
	struct cli_list sans;
	const char *key;
	const char *key_type;
	bool server_key;
	const char *decrypt_key;
	const char *cert;
	const char *ca;
	const char *tls_ca;
	const char *tls_cert;
	const char *tls_key;
	bool full_cmc;
	bool legacy;
	int64_t wait;
};

#define OPT(name, kind, field, value, help, ...)                                                   \
	{                                                                                          \
		name, kind, offsetof(struct opts, field), value, help, ##__VA_ARGS__               \
	}
#define MUST(name, kind, field, value, help)                                                       \
	{                                                                                          \
		name, kind, offsetof(struct opts, field), value, help, .required = true            \
	}

static const struct cli_option options[] = {
	OPT("--protocol", CLI_TEXT, protocol, "NAME", "how to enrol: scep (default) or est",
	    .choices = SCEPTER_PROTOCOLS),
	MUST("--url", CLI_TEXT, url, "URL", "of the CA's endpoint; for EST a server's will do"),
	OPT("--ca-identifier", CLI_TEXT, ca_identifier, "TEXT",
	    "names one CA where a URL has many"),
	OPT("--ca-fingerprint", CLI_TEXT, fingerprint, "HEX",
	    "SHA-256 of the CA's certificate, or of the root above it"),
	OPT("--insecure-trust-first-use", CLI_FLAG, first_use, NULL,
	    "trust whoever answers, instead of a fingerprint"),
	OPT("--user", CLI_TEXT, user, "NAME", "EST: account whose password is in --challenge-file"),
	OPT("--challenge-file", CLI_TEXT, challenge_file, "FILE",
	    "whose first line is the challenge, or password; - is standard input"),
	MUST("--subject", CLI_TEXT, subject, "DN", "asked for: CN=router7,O=Example"),
	OPT("--san", CLI_LIST, sans, "TYPE:VALUE",
	    "asked for as well: DNS, IP, URI, email, UPN; may be repeated"),
	MUST("--key", CLI_TEXT, key, "FILE", "private key, made with mode 0600 if not there"),
	OPT("--key-type", CLI_TEXT, key_type, "TYPE",
	    "of a key to be made: rsa2048 (default), rsa3072, rsa4096, p256, p384, p521, ed25519; "
	    "for EST as the CA wants it",
	    .choices = SCEPTER_KEY_TYPES),
	OPT("--server-key", CLI_FLAG, server_key, NULL,
	    "EST: the server makes the key, which is written to --key"),
	OPT("--decrypt-key", CLI_TEXT, decrypt_key, "FILE",
	    "EST: private key that the server's is to be encrypted to, and is of the kind of"),
	OPT("--full-cmc", CLI_FLAG, full_cmc, NULL,
	    "EST: by a Full PKI Request, whose answer the CA signs"),
	MUST("--cert", CLI_TEXT, cert, "FILE", "where to write the certificate (PEM)"),
	OPT("--ca", CLI_TEXT, ca, "FILE", "where to write the CA certificates (PEM)"),
	OPT("--tls-ca", CLI_TEXT, tls_ca, "FILE", "trust anchors for https (PEM)"),
	OPT("--tls-cert", CLI_TEXT, tls_cert, "FILE",
	    "certificate to show over https, as its maker's (PEM, its chain behind it)"),
	OPT("--tls-key", CLI_TEXT, tls_key, "FILE", "private key of --tls-cert"),
	OPT("--allow-legacy", CLI_FLAG, legacy, NULL,
	    "take SHA-1 and 3DES from a server without better"),
	OPT("--wait", CLI_DURATION, wait, "TIME",
	    "how long to try again while the CA is busy or has to approve: 10m"),
	{ 0 },
};

static bool is_est(const struct opts *o)
{
	return o->protocol && strcmp(o->protocol, "est") == 0;
}

static RESULT check_server_key(const struct opts *o, struct err *err)
{
	if (o->server_key && o->full_cmc)
		return err_set(err, ERR_USAGE, "--server-key and --full-cmc exclude each other");
	if (!o->decrypt_key)
		return OK;
	if (!o->server_key)
		return err_set(err, ERR_USAGE, "--decrypt-key goes with --server-key only");
	if (o->key_type)
		return err_set(
		    err, ERR_USAGE,
		    "--decrypt-key and --key-type exclude each other: the server makes a "
		    "key of the kind of the one that it is encrypted to");
	return OK;
}

static RESULT check(const struct opts *o, struct err *err)
{
	TRY(check_server_key(o, err));
	if (!o->tls_cert != !o->tls_key)
		return err_set(err, ERR_USAGE, "--tls-cert and --tls-key go together");
	/* EST's CA is known by its TLS, where that is anchored */
	if (is_est(o) && o->tls_ca && !o->first_use)
		return OK;
	if (!o->fingerprint && !o->first_use)
		return err_set(err, ERR_USAGE,
			       "--ca-fingerprint is missing: without it anybody could pose as the "
			       "CA (\"scepter getca --url %s\" shows what the server sends; ask "
			       "the CA's people what it should be)",
			       o->url);
	if (o->fingerprint && o->first_use)
		return err_set(err, ERR_USAGE,
			       "--ca-fingerprint and --insecure-trust-first-use "
			       "exclude each other");
	return OK;
}

static RESULT set_up(struct device *d, const struct opts *o, struct err *err)
{
	TRY(device_set_ca_identifier(d, o->ca_identifier, err));
	TRY(device_set_user(d, o->user, err));
	TRY(device_set_tls_ca_file(d, o->tls_ca, err));
	if (o->tls_cert)
		TRY(device_set_tls_identity(d, o->tls_cert, o->tls_key, err));
	if (o->full_cmc)
		TRY(device_use_full_cmc(d, err));
	device_allow_legacy(d, o->legacy);
	TRY(device_get_ca(d, err));
	return device_trust(d, o->first_use ? NULL : o->fingerprint, err);
}

static RESULT describe(struct device *d, const struct opts *o, struct err *err)
{
	SECRET challenge = SECRET_INIT;
	enum result r;
	size_t i;

	r = device_set_subject(d, o->subject, err);
	if (r != OK)
		return err_prefix(err, ERR_USAGE, "--subject");
	for (i = 0; i < o->sans.n; i++) {
		r = device_add_san(d, o->sans.v[i], err);
		if (r != OK)
			return err_prefix(err, ERR_USAGE, "--san");
	}
	if (!o->challenge_file)
		return OK;
	TRY(secret_read_file(&challenge, o->challenge_file, CHALLENGE_FILE_MAX, err));
	return device_set_challenge(d, secret_span(&challenge), err);
}

/* Before a challenge is used up for what could not be kept. */
static RESULT check_outputs(const struct opts *o, struct err *err)
{
	if (o->ca)
		TRY(file_check_writable(o->ca, err));
	if (o->server_key)
		TRY(file_check_writable(o->key, err));
	return file_check_writable(o->cert, err);
}

static RESULT save(const struct device *d, const struct opts *o, struct err *err)
{
	if (o->ca)
		TRY(device_save_ca(d, o->ca, err));
	return device_save_cert(d, o->cert, err);
}

static RESULT show_json(const struct cli *cli, const struct opts *o, bool made, const char *subject,
			const char *serial, const char *until, struct err *err)
{
	json_t *v = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s*}", "subject", subject, "serial",
			      serial, "notAfter", until, "keyMade", made, "key", o->key, "cert",
			      o->cert, "ca", o->ca);
	enum result r = v ? cli_output_json(&cli->out, v, err) : err_nomem(err);

	json_decref(v);
	return r;
}

static RESULT show(const struct cli *cli, const struct opts *o, const struct device *d, bool made,
		   struct err *err)
{
	char until[CLOCK_TEXT_MAX];
	BUF subject = BUF_INIT;
	BUF serial = BUF_INIT;
	struct cert cert;

	TRY(cert_parse(device_cert(d), &cert, err));
	TRY(name_put_text(&subject, cert.subject, err));
	hex_put(&serial, cert.serial);
	clock_format(cert.not_after, until);
	if (!buf_cstr(&subject) || !buf_cstr(&serial))
		return err_nomem(err);
	if (cli->out.json)
		return show_json(cli, o, made, buf_cstr(&subject), buf_cstr(&serial), until, err);
	cli_output_pair(&cli->out, "Subject", "%s", buf_cstr(&subject));
	cli_output_pair(&cli->out, "Serial", "%s", buf_cstr(&serial));
	cli_output_pair(&cli->out, "Valid until", "%s", until);
	cli_output_pair(&cli->out, "Key", "%s%s", o->key, made ? " (new)" : "");
	cli_output_pair(&cli->out, "Certificate", "%s", o->cert);
	if (o->ca)
		cli_output_pair(&cli->out, "CA", "%s", o->ca);
	return OK;
}

static RESULT get_key(struct device *d, const struct opts *o, bool *made, struct err *err)
{
	const char *type = o->key_type ? o->key_type : device_key_type(d, "rsa2048");

	if (!o->server_key)
		return wait_for_key(d, o->key, type, made, err);
	*made = true;
	if (o->decrypt_key)
		return device_want_encrypted_key(d, o->key, o->decrypt_key, err);
	return device_want_server_key(d, o->key, type, err);
}

/* The server says what it misses; here is how it would be given. */
static RESULT ask(struct device *d, const struct opts *o, bool poll, struct err *err)
{
	enum result r = wait_for_cert(d, o->wait, poll, err);

	if (r != ERR_DENIED || o->challenge_file || o->tls_cert)
		return r;
	return err_prefix(err, r, "nothing was shown that lets this device enrol: %s",
			  is_est(o) ? "--user and --challenge-file, or --tls-cert"
				    : "--challenge-file");
}

/* A repetition with the same key is answered with the same certificate. */
static RESULT keep(const struct device *d, const struct opts *o, struct err *err)
{
	enum result r = save(d, o, err);

	if (r == OK || o->server_key)
		return r;
	return err_prefix(err, r,
			  "the CA has issued the certificate, but it could not be kept: mend that "
			  "and run the same command again");
}

static RESULT get(struct cli *cli, const struct opts *o, bool poll, struct err *err)
{
	CLEANUP(device_freep) struct device *d = NULL;
	bool made;

	TRY(check(o, err));
	TRY(device_new(&d, o->url, err));
	TRY(device_set_protocol(d, o->protocol ? o->protocol : "scep", err));
	TRY(describe(d, o, err));
	TRY(check_outputs(o, err));
	TRY(set_up(d, o, err));
	if (poll && !file_exists(o->key))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no key, so nothing was asked for",
			       o->key);
	TRY(get_key(d, o, &made, err));
	TRY(ask(d, o, poll, err));
	TRY(keep(d, o, err));
	return show(cli, o, d, made, err);
}

static enum result run_enrol(struct cli *cli, const void *opts, struct err *err)
{
	return get(cli, opts, false, err);
}

static enum result run_poll(struct cli *cli, const void *opts, struct err *err)
{
	return get(cli, opts, true, err);
}

const struct cli_command scepter_poll = {
	.name = "poll",
	.summary = "Ask what has become of a request that waits for approval",
	.examples = "scepter poll --url http://ca.example/scep/demo --ca-fingerprint 3f9a... \\\n"
		    "    --subject CN=router7 --key router7.key --cert router7.pem --wait 1d\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = run_poll,
};

const struct cli_command scepter_enrol = {
	.name = "enrol",
	.summary = "Get a certificate for a key of this device",
	.examples = "scepter enrol --url http://ca.example/scep/demo --ca-fingerprint 3f9a... \\\n"
		    "    --challenge-file challenge --subject CN=router7 --san "
		    "DNS:router7.example \\\n"
		    "    --key router7.key --cert router7.pem --ca ca.pem\n"
		    "echo \"$CHALLENGE\" | scepter enrol --challenge-file - --key-type p256 ...\n"
		    "scepter enrol --protocol est --url https://ca.example --tls-ca tls.pem \\\n"
		    "    --user sensor --challenge-file password --subject CN=sensor1 \\\n"
		    "    --key sensor1.key --cert sensor1.pem --ca ca.pem\n"
		    "scepter enrol --protocol est --server-key --decrypt-key old.key ...\n"
		    "scepter enrol --protocol est --full-cmc ...\n"
		    "scepter enrol --protocol est --tls-cert maker.pem --tls-key maker.key ...\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = run_enrol,
};
