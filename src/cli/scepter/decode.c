/* SPDX-License-Identifier: Apache-2.0 */
/* scepter decode: what is in this message? */
#include <stddef.h>

#include "base/file.h"
#include "cli/scepter/commands.h"
#include "cli/scepter/decode_input.h"
#include "cli/scepter/tree_message.h"
#include "pki/key_evp.h"

#define INPUT_MAX (4u << 20)
#define CHALLENGE_FILE_MAX 16384

struct opts {
	const char *file;
	const char *key;
	const char *challenge_file;
};

static const struct cli_option options[] = {
	{ "FILE", CLI_ARG, offsetof(struct opts, file), NULL,
	  "message, certificate or request, as DER, BER, PEM, base64, URL or request line; - is "
	  "standard input" },
	{ "--key", CLI_TEXT, offsetof(struct opts, key), "FILE",
	  "private key to open envelopes with" },
	{ "--challenge-file", CLI_TEXT, offsetof(struct opts, challenge_file), "FILE",
	  "challenge to open an EC device's reply with" },
	{ 0 },
};

static const char *operation_name(enum scep_operation operation)
{
	static const char *const names[] = {
		[SCEP_OP_NONE] = "none",
		[SCEP_OP_GET_CA_CAPS] = "GetCACaps",
		[SCEP_OP_GET_CA_CERT] = "GetCACert",
		[SCEP_OP_GET_NEXT_CA_CERT] = "GetNextCACert",
		[SCEP_OP_PKI_OPERATION] = "PKIOperation",
	};

	return names[operation];
}

static RESULT put_input(struct tree *t, const struct decode_input *in,
			const struct tree_opener *opener, struct err *err)
{
	tree_text(t, t->root, "input", in->form);
	if (in->is_url) {
		tree_text(t, t->root, "operation", operation_name(in->query.operation));
		if (in->query.operation != SCEP_OP_PKI_OPERATION) {
			if (in->query.has_message)
				tree_span(t, t->root, "CA identifier",
					  buf_span(&in->query.message));
			return OK;
		}
	}
	return tree_put_object(t, t->root, buf_span(&in->bytes), opener, err);
}

static RESULT show(const struct cli *cli, const struct opts *o, struct tree *t,
		   struct tree_opener *opener, struct err *err)
{
	CLEANUP(decode_input_clear) struct decode_input in = { .form = "" };
	BUF text = BUF_INIT;
	enum result r;

	if (o->key)
		TRY(key_evp_load(&opener->key, t->c, o->key, NULL, err));
	if (o->challenge_file)
		TRY(secret_read_file(&opener->challenge, o->challenge_file, CHALLENGE_FILE_MAX,
				     err));
	TRY(file_read(o->file, INPUT_MAX, &text, err));
	r = decode_input_read(buf_span(&text), &in, err);
	if (r == OK)
		r = put_input(t, &in, opener, err);
	if (r != OK)
		return err_prefix(err, r, "%s", o->file);
	return tree_show(t, &cli->out, err);
}

static RESULT run(struct cli *cli, const void *opts, struct err *err)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	CLEANUP(tree_clear) struct tree t = { 0 };
	struct tree_opener opener = { .challenge = SECRET_INIT };
	enum result r;

	TRY(crypto_new(&c, true, err));
	t.c = c;
	TRY(tree_init(&t, err));
	r = show(cli, opts, &t, &opener, err);
	key_free(opener.key);
	secret_clear(&opener.challenge);
	return r;
}

const struct cli_command scepter_decode = {
	.name = "decode",
	.summary = "Show what a SCEP or CMC message, certificate or request holds",
	.examples = "scepter decode captured.bin\n"
		    "scepter decode --json --key router7.key certrep.der\n"
		    "grep PKIOperation access.log | head -1 | scepter decode -\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = run,
};
