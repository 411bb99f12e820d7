/* SPDX-License-Identifier: Apache-2.0 */
/* scepter renew: the next certificate, by the current one. */
#include <stddef.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "cli/scepter/commands.h"
#include "cli/scepter/wait.h"
#include "scep/caps.h"

#define PATH_ROOM 4096

struct opts {
	const char *protocol;
	const char *url;
	const char *ca_identifier;
	const char *fingerprint;
	bool first_use;
	const char *key;
	const char *cert;
	bool same_key;
	bool next;
	bool full_cmc;
	const char *key_type;
	const char *ca;
	const char *tls_ca;
	bool legacy;
	int64_t within;
	int64_t wait;
};

static const struct cli_option options[] = {
	{ "--protocol", CLI_TEXT, offsetof(struct opts, protocol), "NAME",
	  "how to renew: scep (default) or est", .choices = SCEPTER_PROTOCOLS },
	{ "--url", CLI_TEXT, offsetof(struct opts, url), "URL",
	  "of the CA's endpoint; for EST a server's will do", .required = true },
	{ "--ca-identifier", CLI_TEXT, offsetof(struct opts, ca_identifier), "TEXT",
	  "names one CA where a URL has many" },
	{ "--ca-fingerprint", CLI_TEXT, offsetof(struct opts, fingerprint), "HEX",
	  "SHA-256 of the CA's certificate, or of the root above it" },
	{ "--insecure-trust-first-use", CLI_FLAG, offsetof(struct opts, first_use), NULL,
	  "trust whoever answers, instead of a fingerprint" },
	{ "--key", CLI_TEXT, offsetof(struct opts, key), "FILE",
	  "private key of the certificate; a new one takes its place", .required = true },
	{ "--cert", CLI_TEXT, offsetof(struct opts, cert), "FILE",
	  "certificate to be renewed; the new one takes its place", .required = true },
	{ "--same-key", CLI_FLAG, offsetof(struct opts, same_key), NULL, "keep the key" },
	{ "--next", CLI_FLAG, offsetof(struct opts, next), NULL,
	  "ask the CA's next generation now; done by itself where the certificate ends with its "
	  "CA" },
	{ "--full-cmc", CLI_FLAG, offsetof(struct opts, full_cmc), NULL,
	  "EST: by a Full PKI Request, whose answer the CA signs" },
	{ "--key-type", CLI_TEXT, offsetof(struct opts, key_type), "TYPE",
	  "of the new key: rsa2048 (default), rsa3072, rsa4096, p256, p384, p521, ed25519",
	  .choices = SCEPTER_KEY_TYPES },
	{ "--within", CLI_DURATION, offsetof(struct opts, within), "TIME",
	  "only if the certificate ends within this time: 30d" },
	{ "--ca", CLI_TEXT, offsetof(struct opts, ca), "FILE",
	  "where to write the CA certificates (PEM)" },
	{ "--tls-ca", CLI_TEXT, offsetof(struct opts, tls_ca), "FILE",
	  "trust anchors for https (PEM)" },
	{ "--allow-legacy", CLI_FLAG, offsetof(struct opts, legacy), NULL,
	  "take SHA-1 and 3DES from a server without better" },
	{ "--wait", CLI_DURATION, offsetof(struct opts, wait), "TIME",
	  "how long to try again while the CA is busy or has to approve: 10m" },
	{ 0 },
};

static RESULT check(const struct opts *o, struct err *err)
{
	if (o->protocol && strcmp(o->protocol, "est") == 0 && o->tls_ca && !o->first_use)
		return OK;
	if (!o->fingerprint == !o->first_use)
		return err_set(err, ERR_USAGE,
			       "give either --ca-fingerprint or --insecure-trust-first-use");
	if (o->same_key && o->key_type)
		return err_set(err, ERR_USAGE, "--same-key and --key-type exclude each other");
	return OK;
}

static RESULT read_cert(const char *path, struct buf *der, struct cert *cert, struct err *err)
{
	TRY(cert_load(path, der, err));
	return cert_parse(buf_span(der), cert, err);
}

static RESULT is_due(const struct opts *o, bool *due, struct err *err)
{
	struct clock clock = CLOCK_SYSTEM;
	BUF der = BUF_INIT;
	struct cert cert;

	TRY(read_cert(o->cert, &der, &cert, err));
	*due = !o->within || cert.not_after - clock_now(&clock) <= o->within;
	return OK;
}

/* Where the CA in charge could not give more time, the next one is asked, if there is one. */
static bool wants_next(const struct device *d, const struct opts *o)
{
	return o->next || (device_ends_with_ca(d) && (device_caps(d) & SCEP_CAP_GET_NEXT_CA_CERT));
}

/* The key of the request is on disk before it is sent, and stays the same until it is granted. */
static RESULT ask(struct device *d, const struct opts *o, const char *new_key, bool *next,
		  struct err *err)
{
	bool made;

	TRY(device_set_ca_identifier(d, o->ca_identifier, err));
	TRY(device_set_tls_ca_file(d, o->tls_ca, err));
	if (o->full_cmc)
		TRY(device_use_full_cmc(d, err));
	device_allow_legacy(d, o->legacy);
	TRY(device_set_current(d, o->key, o->cert, err));
	TRY(device_get_ca(d, err));
	TRY(device_trust(d, o->fingerprint, err));
	*next = wants_next(d, o);
	if (*next)
		TRY(device_use_next_ca(d, err));
	TRY(wait_for_key(d, new_key ? new_key : o->key,
			 o->key_type ? o->key_type : device_key_type(d, "rsa2048"), &made, err));
	return wait_for_cert(d, o->wait, false, err);
}

/* What has come of it. */
struct outcome {
	bool renewed; /* or the one that was kept has come to its time */
	int64_t next; /* when the certificate that is kept begins; 0: none is */
};

static RESULT show(const struct cli *cli, const struct opts *o, const struct outcome *done,
		   struct err *err)
{
	char until[CLOCK_TEXT_MAX], next[CLOCK_TEXT_MAX] = "";
	BUF serial = BUF_INIT;
	BUF der = BUF_INIT;
	struct cert cert;
	json_t *value;
	enum result r;

	TRY(read_cert(o->cert, &der, &cert, err));
	hex_put(&serial, cert.serial);
	clock_format(cert.not_after, until);
	if (done->next)
		clock_format(done->next, next);
	if (!buf_cstr(&serial))
		return err_nomem(err);
	if (!cli->out.json) {
		cli_output_pair(&cli->out, "Renewed", "%s",
				done->renewed ? "yes"
				: done->next  ? "the next one waits for its time"
					      : "not due yet");
		cli_output_pair(&cli->out, "Serial", "%s", buf_cstr(&serial));
		cli_output_pair(&cli->out, "Valid until", "%s", until);
		if (done->next)
			cli_output_pair(&cli->out, "Next from", "%s", next);
		return OK;
	}
	value = json_pack("{s:b, s:s, s:s, s:s?}", "renewed", done->renewed, "serial",
			  buf_cstr(&serial), "notAfter", until, "next", done->next ? next : NULL);
	r = value ? cli_output_json(&cli->out, value, err) : err_nomem(err);
	json_decref(value);
	return r;
}

static struct device_files files_of(const struct opts *o)
{
	return (struct device_files){ o->key, o->cert, o->ca };
}

static RESULT keep(const struct device *d, const struct opts *o, const char *key,
		   struct outcome *done, struct err *err)
{
	const struct device_files files = files_of(o);
	struct cert cert = { 0 };

	TRY(cert_parse(device_cert(d), &cert, err));
	done->next = cert.not_before;
	return device_keep_next(d, key, &files, err);
}

static RESULT renew(struct device *d, const struct opts *o, struct outcome *done, struct err *err)
{
	char new_key[PATH_ROOM];
	bool next = false;
	const char *key = o->same_key ? NULL : new_key;

	if (snprintf(new_key, sizeof(new_key), "%s.new", o->key) >= PATH_ROOM)
		return err_set(err, ERR_USAGE, "--key: path too long");
	if (o->ca)
		TRY(file_check_writable(o->ca, err));
	TRY(file_check_writable(o->cert, err));
	TRY(ask(d, o, key, &next, err));
	if (next)
		return keep(d, o, key, done, err);
	done->renewed = true;
	if (o->ca)
		TRY(device_save_ca(d, o->ca, err));
	return device_replace(d, key, o->key, o->cert, err);
}

/* What a power cut left half done comes first. */
static RESULT recover(struct device *d, const struct opts *o, struct err *err)
{
	char new_key[PATH_ROOM];

	if (snprintf(new_key, sizeof(new_key), "%s.new", o->key) >= PATH_ROOM)
		return err_set(err, ERR_USAGE, "--key: path too long");
	return device_recover(device_crypto(d), new_key, o->key, o->cert, err);
}

/* While one is kept there is nothing to ask for. */
static RESULT take_kept(struct device *d, const struct opts *o, struct outcome *done,
			struct err *err)
{
	const struct device_files files = files_of(o);
	struct clock clock = CLOCK_SYSTEM;
	int64_t now = clock_now(&clock);

	TRY(device_take_next(device_crypto(d), &files, now, &done->next, err));
	done->renewed = done->next && done->next <= now;
	if (done->renewed)
		done->next = 0;
	return OK;
}

static enum result run(struct cli *cli, const void *opts, struct err *err)
{
	const struct opts *o = opts;
	CLEANUP(device_freep) struct device *d = NULL;
	struct outcome done = { 0 };
	bool due = false;

	TRY(check(o, err));
	TRY(device_new(&d, o->url, err));
	TRY(device_set_protocol(d, o->protocol ? o->protocol : "scep", err));
	TRY(recover(d, o, err));
	TRY(take_kept(d, o, &done, err));
	TRY(is_due(o, &due, err));
	if ((due || o->next) && !done.renewed && !done.next)
		TRY(renew(d, o, &done, err));
	return show(cli, o, &done, err);
}

const struct cli_command scepter_renew = {
	.name = "renew",
	.summary = "Renew a certificate with the one that there is",
	.examples = "scepter renew --url http://ca.example/scep/demo --ca-fingerprint 3f9a... \\\n"
		    "    --key router7.key --cert router7.pem --within 30d\n"
		    "scepter renew --url http://ca.example/scep/demo --ca-fingerprint 3f9a... \\\n"
		    "    --key router7.key --cert router7.pem --ca ca.pem --next\n"
		    "scepter renew --protocol est --url https://ca.example --tls-ca tls.pem \\\n"
		    "    --key sensor1.key --cert sensor1.pem\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = run,
};
