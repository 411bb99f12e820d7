/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/key_file.h"

#include <openssl/bio.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "pki/pem.h"

/* Of scrypt (RFC 7914): 16 MiB and some 40 ms a file, as `openssl pkcs8 -topk8 -scrypt` has it. */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 1

struct asked {
	const struct secret *passphrase;
	bool yes;
};

static int give_passphrase(char *room, int size, int writing, void *arg)
{
	struct asked *asked = arg;
	struct span pass;

	(void)writing;
	asked->yes = true;
	if (!asked->passphrase)
		return -1;
	pass = secret_span(asked->passphrase);
	if (size < 0 || pass.len > (size_t)size)
		return -1;
	if (pass.len > 0)
		memcpy(room, pass.p, pass.len);
	return (int)pass.len;
}

/* The decoder takes one PEM block at a time: go on as long as it gets ahead. */
static void decode(OSSL_DECODER_CTX *ctx, BIO *bio, EVP_PKEY **pkey)
{
	long before, now = BIO_tell(bio);

	do {
		before = now;
		if (OSSL_DECODER_from_bio(ctx, bio) && *pkey)
			return;
		now = BIO_tell(bio);
	} while (now > before && !BIO_eof(bio));
}

enum result key_file_read(EVP_PKEY **out, struct crypto *c, struct span pem_or_der,
			  const struct secret *passphrase, struct err *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;
	struct asked asked = { passphrase, false };
	OSSL_DECODER_CTX *ctx;
	BIO *bio;

	if (pem_or_der.len == 0 || pem_or_der.len > KEY_FILE_MAX)
		return err_set(err, ERR_LIMIT,
			       "%zu bytes are no private key of at most %d: restore the file, or "
			       "give another",
			       pem_or_der.len, KEY_FILE_MAX);
	bio = BIO_new_mem_buf(pem_or_der.p, (int)pem_or_der.len);
	ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey, NULL, NULL, NULL, EVP_PKEY_KEYPAIR,
					    crypto_libctx(c), NULL);
	if (bio && ctx && OSSL_DECODER_CTX_set_pem_password_cb(ctx, give_passphrase, &asked))
		decode(ctx, bio, &pkey);
	OSSL_DECODER_CTX_free(ctx);
	BIO_free(bio);
	ERR_clear_error();
	if (!pkey && asked.yes)
		return err_set(err, ERR_DENIED, "private key is encrypted: %s",
			       passphrase ? "the passphrase does not open it" : "no passphrase");
	if (!pkey)
		return err_set(err, ERR_SYNTAX, "no private key in PKCS#8, PKCS#1 or SEC 1 form");
	*out = take(pkey);
	return OK;
}

static bool contains(struct span text, struct span word)
{
	return memmem(text.p, text.len, word.p, word.len) != NULL;
}

bool key_file_is_sealed(struct span pem)
{
	return contains(pem, SPAN_LIT("-----BEGIN ENCRYPTED PRIVATE KEY-----")) ||
	       contains(pem, SPAN_LIT("Proc-Type: 4,ENCRYPTED"));
}

static enum result encode(const EVP_PKEY *pkey, int selection, const char *structure,
			  struct buf *out, struct err *err)
{
	OSSL_ENCODER_CTX *ctx =
	    OSSL_ENCODER_CTX_new_for_pkey(pkey, selection, "DER", structure, NULL);
	unsigned char *der = NULL;
	size_t len = 0;
	bool ok = ctx && OSSL_ENCODER_to_data(ctx, &der, &len) == 1;

	OSSL_ENCODER_CTX_free(ctx);
	if (!ok)
		return crypto_fail(err, ERR_INTERNAL, structure);
	buf_put(out, span_of(der, len));
	OPENSSL_clear_free(der, len);
	return buf_check(out, err);
}

enum result key_file_put_der(const EVP_PKEY *pkey, struct buf *out, struct err *err)
{
	return encode(pkey, EVP_PKEY_KEYPAIR, "PrivateKeyInfo", out, err);
}

enum result key_file_put_spki(EVP_PKEY *pkey, struct buf *out, struct err *err)
{
	if (EVP_PKEY_is_a(pkey, "EC"))
		(void)EVP_PKEY_set_utf8_string_param(
		    pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
	return encode(pkey, EVP_PKEY_PUBLIC_KEY, "SubjectPublicKeyInfo", out, err);
}

/* EncryptedPrivateKeyInfo by PBES2 (RFC 8018 6.2) with scrypt: the library draws salt and IV. */
static enum result encrypt(struct crypto *c, struct span pkcs8, struct span pass, struct buf *out,
			   struct err *err)
{
	OSSL_LIB_CTX *lib = crypto_libctx(c);
	const unsigned char *p = pkcs8.p;
	PKCS8_PRIV_KEY_INFO *plain = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)pkcs8.len);
	X509_ALGOR *alg = PKCS5_pbe2_set_scrypt(crypto_cipher(c, CIPHER_AES256_CBC), NULL, 0, NULL,
						SCRYPT_N, SCRYPT_R, SCRYPT_P);
	X509_SIG *sealed = NULL;
	unsigned char *der = NULL;
	int len = -1;

	if (plain && alg)
		sealed =
		    PKCS8_set0_pbe_ex((const char *)pass.p, (int)pass.len, plain, alg, lib, NULL);
	if (sealed)
		len = i2d_X509_SIG(sealed, &der);
	else
		X509_ALGOR_free(alg);
	if (len > 0)
		buf_put(out, span_of(der, (size_t)len));
	OPENSSL_free(der);
	X509_SIG_free(sealed);
	PKCS8_PRIV_KEY_INFO_free(plain);
	return len > 0 ? buf_check(out, err) : crypto_fail(err, ERR_INTERNAL, "PBES2");
}

enum result key_file_put_pem(const EVP_PKEY *pkey, struct crypto *c,
			     const struct secret *passphrase, struct buf *out, struct err *err)
{
	BUF_SECRET plain = BUF_INIT;
	BUF sealed = BUF_INIT;

	TRY(key_file_put_der(pkey, &plain, err));
	if (passphrase) {
		TRY(encrypt(c, buf_span(&plain), secret_span(passphrase), &sealed, err));
		pem_put(out, "ENCRYPTED PRIVATE KEY", buf_span(&sealed));
	} else {
		pem_put(out, "PRIVATE KEY", buf_span(&plain));
	}
	return buf_check(out, err);
}
