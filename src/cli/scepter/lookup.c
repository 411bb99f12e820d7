/* SPDX-License-Identifier: Apache-2.0 */
/* scepter getcert and getcrl: what the CA has issued, and its revocation list. */
#include "base/file.h"
#include "base/hex.h"
#include "cli/scepter/ca_options.h"
#include "cli/scepter/commands.h"
#include "pki/pem.h"

struct opts {
	struct ca_options ca;
	const char *key;
	const char *cert;
	const char *serial;
	const char *out;
};

static const struct cli_option options[] = {
	CA_OPTIONS("SHA-256 of the CA's certificate, or of the root above it", true),
	{ "--key", CLI_TEXT, offsetof(struct opts, key), "FILE",
	  "RSA key to sign the question with", .required = true },
	{ "--cert", CLI_TEXT, offsetof(struct opts, cert), "FILE", "certificate of that key",
	  .required = true },
	{ "--serial", CLI_TEXT, offsetof(struct opts, serial), "HEX",
	  "of the certificate asked about; default that of --cert" },
	{ "--out", CLI_TEXT, offsetof(struct opts, out), "FILE",
	  "where to write it (PEM); default standard output" },
	{ 0 },
};

/* As INTEGER content octets: positive, without needless zeros. */
static RESULT read_serial(const struct opts *o, struct buf *out, struct err *err)
{
	BUF bytes = BUF_INIT;
	struct span s;

	TRY(hex_parse(span_str(o->serial), &bytes, err));
	for (s = buf_span(&bytes); s.len > 1 && s.p[0] == 0;)
		s = span_sub(s, 1, SIZE_MAX);
	if (s.len == 0)
		return err_set(err, ERR_USAGE, "--serial: no digits");
	if (s.p[0] & 0x80)
		buf_put_byte(out, 0);
	buf_put(out, s);
	return buf_check(out, err);
}

static RESULT own_serial(const struct opts *o, struct buf *out, struct err *err)
{
	BUF der = BUF_INIT;
	struct cert cert;

	TRY(cert_load(o->cert, &der, err));
	TRY(cert_parse(buf_span(&der), &cert, err));
	buf_put(out, cert.serial);
	return buf_check(out, err);
}

static RESULT ask(const struct opts *o, int type, struct buf *out, struct err *err)
{
	CLEANUP(device_freep) struct device *d = NULL;
	BUF serial = BUF_INIT;

	if (o->serial)
		TRY(read_serial(o, &serial, err));
	else
		TRY(own_serial(o, &serial, err));
	TRY(ca_options_device(&o->ca, &d, err));
	TRY(device_set_current(d, o->key, o->cert, err));
	TRY(device_get_ca(d, err));
	TRY(device_trust(d, o->ca.fingerprint, err));
	return device_lookup(d, type, buf_span(&serial), out, err);
}

static RESULT run(const struct cli *cli, const struct opts *o, int type, const char *label,
		  struct err *err)
{
	BUF der = BUF_INIT;
	BUF pem = BUF_INIT;

	TRY(ask(o, type, &der, err));
	pem_put(&pem, label, buf_span(&der));
	TRY(buf_check(&pem, err));
	if (o->out)
		return file_write_atomic(o->out, 0644, buf_span(&pem), err);
	if (fwrite(pem.data, 1, pem.len, cli->out.file) != pem.len)
		return err_set(err, ERR_IO, "standard output: cannot write");
	return OK;
}

static enum result run_getcert(struct cli *cli, const void *opts, struct err *err)
{
	return run(cli, opts, SCEP_GET_CERT, "CERTIFICATE", err);
}

static enum result run_getcrl(struct cli *cli, const void *opts, struct err *err)
{
	return run(cli, opts, SCEP_GET_CRL, "X509 CRL", err);
}

const struct cli_command scepter_getcert = {
	.name = "getcert",
	.summary = "Fetch a certificate that the CA has issued",
	.examples =
	    "scepter getcert --url http://ca.example/scep/demo --ca-fingerprint 3f9a... \\\n"
	    "    --key router7.key --cert router7.pem --serial 5f3a09c1 --out other.pem\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = run_getcert,
};

const struct cli_command scepter_getcrl = {
	.name = "getcrl",
	.summary = "Fetch the CA's revocation list over SCEP",
	.examples = "scepter getcrl --url http://ca.example/scep/demo --ca-fingerprint 3f9a... \\\n"
		    "    --key router7.key --cert router7.pem --out ca.crl\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = run_getcrl,
};
