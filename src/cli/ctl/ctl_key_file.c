/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ctl/ctl_key_file.h"

#include "base/file.h"
#include "base/hex.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/key_evp.h"
#include "pki/pem.h"

#define FILE_MAX 1048576

/* ---- one ---- */

/* Each gives the key of what it reads, a view or put into made. */
typedef enum result spki_fn(struct crypto *c, struct span der, struct buf *made, struct span *spki);

static enum result of_cert(struct crypto *c UNUSED, struct span der, struct buf *made UNUSED,
			   struct span *spki)
{
	struct cert cert;

	TRY(cert_parse(der, &cert, NULL));
	*spki = cert.spki;
	return OK;
}

static enum result of_request(struct crypto *c UNUSED, struct span der, struct buf *made UNUSED,
			      struct span *spki)
{
	struct csr csr;

	TRY(csr_parse(der, &csr, NULL));
	*spki = csr.spki;
	return OK;
}

static enum result of_public(struct crypto *c UNUSED, struct span der, struct buf *made UNUSED,
			     struct span *spki)
{
	struct pubkey_info info;

	TRY(pubkey_inspect(der, &info, NULL));
	*spki = der;
	return OK;
}

/* Whoever finds somebody's private key has just this. */
static enum result of_private(struct crypto *c, struct span der, struct buf *made,
			      struct span *spki)
{
	CLEANUP(key_freep) struct key *key = NULL;

	TRY(key_evp_from_bytes(&key, c, der, NULL, NULL));
	buf_put(made, key_spki(key));
	*spki = buf_span(made);
	return buf_check(made, NULL);
}

static const struct {
	const char *label; /* NULL: it reads PEM itself */
	spki_fn *read;
} kinds[] = {
	{ "CERTIFICATE", of_cert },
	{ "CERTIFICATE REQUEST", of_request },
	{ "NEW CERTIFICATE REQUEST", of_request },
	{ "PUBLIC KEY", of_public },
	{ NULL, of_private },
};

static RESULT try_kind(struct crypto *c, size_t kind, struct span file, struct buf *made,
		       struct span *spki)
{
	enum result r = kinds[kind].read(c, file, made, spki);
	BUF der = BUF_INIT;

	if (r == OK || !kinds[kind].label)
		return r;
	TRY(pem_next(&file, kinds[kind].label, &der, NULL));
	TRY(kinds[kind].read(c, buf_span(&der), made, spki));
	buf_reset(made);
	buf_put(made, *spki);
	*spki = buf_span(made);
	return buf_check(made, NULL);
}

enum result ctl_key_file_hash(const char *path, uint8_t hash[PUBKEY_HASH], struct err *err)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	struct span spki = SPAN_NONE;
	BUF file = BUF_INIT;
	BUF made = BUF_INIT;
	size_t i;

	TRY(file_read(path, FILE_MAX, &file, err));
	TRY(crypto_new(&c, false, err));
	for (i = 0; i < ARRAY_LEN(kinds); i++)
		if (try_kind(c, i, buf_span(&file), &made, &spki) == OK)
			return pubkey_hash(c, spki, hash, err);
	return err_set(err, ERR_SYNTAX,
		       "%s: no certificate, certificate request, public key or private key "
		       "without passphrase, in PEM or DER",
		       path);
}

/* ---- many ---- */

static struct span take_line(struct span *text)
{
	size_t end = span_find(*text, '\n');
	struct span line = span_sub(*text, 0, end);

	*text = span_sub(*text, end < text->len ? end + 1 : end, SIZE_MAX);
	return line;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == ',' || c == ';';
}

static struct span first_word(struct span line)
{
	size_t n = 0;

	line = span_sub(line, 0, span_find(line, '#'));
	while (line.len && is_blank(line.p[0]))
		line = span_sub(line, 1, SIZE_MAX);
	while (n < line.len && !is_blank(line.p[n]))
		n++;
	return span_sub(line, 0, n);
}

enum result ctl_key_file_next(struct span *text, size_t *line, uint8_t hash[PUBKEY_HASH],
			      bool *found, struct err *err)
{
	struct span word = SPAN_NONE;
	BUF bytes = BUF_INIT;

	while (text->len && word.len == 0) {
		word = first_word(take_line(text));
		++*line;
	}
	*found = word.len > 0;
	if (!*found)
		return OK;
	if (hex_parse(word, &bytes, NULL) != OK || bytes.len != PUBKEY_HASH)
		return err_set(err, ERR_SYNTAX,
			       "line %zu: \"%.*s\" is no SHA-256 in hexadecimal digits", *line,
			       (int)span_sub(word, 0, 80).len, (const char *)word.p);
	memcpy(hash, bytes.data, PUBKEY_HASH);
	return OK;
}
