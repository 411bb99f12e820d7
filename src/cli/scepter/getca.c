/* SPDX-License-Identifier: Apache-2.0 */
/* scepter getca, getnextca: who is this CA, who will be, and what can it do? */
#include <string.h>

#include "base/file.h"
#include "cli/scepter/ca_options.h"
#include "cli/scepter/commands.h"
#include "cli/scepter/tree.h"
#include "cli/scepter/tree_cert.h"
#include "pki/pem.h"
#include "scep/caps.h"

struct opts {
	struct ca_options ca;
	const char *protocol;
	const char *out;
};

static const struct cli_option options[] = {
	CA_OPTIONS("SHA-256 that a CA certificate must have; what it did not sign is left out",
		   false),
	{ "--protocol", CLI_TEXT, offsetof(struct opts, protocol), "NAME",
	  "how to ask: scep (default) or est", .choices = SCEPTER_PROTOCOLS },
	{ "--out", CLI_TEXT, offsetof(struct opts, out), "FILE",
	  "where to write the certificates (PEM)" },
	{ 0 },
};

static const struct cli_option next_options[] = {
	CA_OPTIONS("SHA-256 of the certificate of the CA in charge, or of the root above it", true),
	{ "--out", CLI_TEXT, offsetof(struct opts, out), "FILE",
	  "where to write the certificates (PEM)" },
	{ 0 },
};

/* One generation of a root certifies the other under the same name (RFC 4210 4.4). */
static const char *role_of(const struct cert *cert, struct crypto *c)
{
	if (cert_is_ca(cert) && !cert_is_self_issued(cert))
		return "CA";
	if (cert_is_ca(cert))
		return cert_verify_signature(cert, c, cert->spki, NULL) == OK ? "root CA"
									      : "CA, cross";
	if (!scep_ca_certs_may(cert, KU_KEY_ENCIPHERMENT))
		return "RA, signs";
	if (!scep_ca_certs_may(cert, KU_DIGITAL_SIGNATURE))
		return "RA, decrypts";
	return "RA, signs and decrypts";
}

/* Without a fingerprint all are shown: there is nothing to trust them by yet. */
static bool is_wanted(const struct opts *o, const struct scep_ca_certs *ca, size_t i)
{
	return !o->ca.fingerprint || ca->trusted[i];
}

static void put_caps(struct tree *t, uint32_t caps)
{
	json_t *list = tree_list(t, t->root, "capabilities");
	BUF text = BUF_INIT;
	struct span rest;

	scep_caps_put(&text, caps);
	for (rest = buf_span(&text); rest.len;) {
		struct span line = span_sub(rest, 0, span_find(rest, '\n'));

		tree_append_text(t, list, line);
		rest = span_sub(rest, line.len + 1, SIZE_MAX);
	}
}

static bool is_est(const struct opts *o)
{
	return o->protocol && strcmp(o->protocol, "est") == 0;
}

static RESULT show(const struct cli *cli, const struct opts *o, struct device *d, struct err *err)
{
	CLEANUP(tree_clear) struct tree t = { .c = device_crypto(d) };
	const struct scep_ca_certs *ca = device_ca(d);
	json_t *list;
	size_t i;

	TRY(tree_init(&t, err));
	if (!is_est(o)) /* which has no such message */
		put_caps(&t, device_caps(d));
	list = tree_list(&t, t.root, "certificates");
	for (i = 0; i < ca->n; i++)
		if (is_wanted(o, ca, i)) {
			json_t *node = tree_append(&t, list);

			tree_text(&t, node, "role", role_of(&ca->certs[i], t.c));
			tree_put_cert(&t, node, &ca->certs[i]);
		}
	return tree_show(&t, &cli->out, err);
}

/* CAs first: whoever reads just one certificate of the file means the CA's. */
static RESULT save(const struct opts *o, const struct scep_ca_certs *ca, struct err *err)
{
	BUF pem = BUF_INIT;
	int pass;
	size_t i;

	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < ca->n; i++)
			if (is_wanted(o, ca, i) && cert_is_ca(&ca->certs[i]) == (pass == 0))
				pem_put(&pem, "CERTIFICATE", ca->certs[i].der);
	TRY(buf_check(&pem, err));
	return file_write_atomic(o->out, 0644, buf_span(&pem), err);
}

static RESULT ask(const struct opts *o, struct device **d, struct err *err)
{
	TRY(ca_options_device(&o->ca, d, err));
	if (o->protocol)
		TRY(device_set_protocol(*d, o->protocol, err));
	TRY(device_get_ca(*d, err));
	return o->ca.fingerprint ? device_recognise(*d, o->ca.fingerprint, err) : OK;
}

static RESULT tell(const struct cli *cli, const struct opts *o, struct device *d, struct err *err)
{
	if (o->out)
		TRY(save(o, device_ca(d), err));
	return show(cli, o, d, err);
}

static RESULT run(struct cli *cli, const void *opts, struct err *err)
{
	CLEANUP(device_freep) struct device *d = NULL;

	TRY(ask(opts, &d, err));
	return tell(cli, opts, d, err);
}

/* What the CA in charge has signed is worth what the trust in that one is. */
static RESULT run_next(struct cli *cli, const void *opts, struct err *err)
{
	CLEANUP(device_freep) struct device *d = NULL;

	TRY(ask(opts, &d, err));
	TRY(device_use_next_ca(d, err));
	return tell(cli, opts, d, err);
}

const struct cli_command scepter_getca = {
	.name = "getca",
	.summary = "Show a CA's certificates, fingerprints and capabilities",
	.examples = "scepter getca --url http://ca.example/scep/demo\n"
		    "scepter getca --url http://ca.example/scep/demo --ca-fingerprint 3f9a... "
		    "--out ca.pem\n"
		    "scepter getca --protocol est --url https://ca.example\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = run,
};

const struct cli_command scepter_getnextca = {
	.name = "getnextca",
	.summary = "Show and store the certificates of the CA's next generation",
	.examples = "scepter getnextca --url http://ca.example/scep/demo --ca-fingerprint 3f9a... "
		    "--out next-ca.pem\n",
	.options = next_options,
	.opts_size = sizeof(struct opts),
	.run = run_next,
};
