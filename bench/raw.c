/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bare private-key operations cost on this machine at this moment: OpenSSL's EVP calls and
 * nothing around them, on all cores at once (a busy neighbour core makes each slower, as it does
 * for a server under load). Prints one JSON object: microseconds of CPU an operation.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#define THREADS_MAX 64
#define SECONDS 0.4

enum operation { RSA2048_DECRYPT, RSA2048_SIGN, P256_SIGN, OPERATIONS };

static const char *const names[OPERATIONS] = { "rsa2048_decrypt", "rsa2048_sign", "p256_sign" };

struct bench {
	enum operation operation;
	EVP_PKEY *key;
	unsigned char cipher[512];
	size_t cipher_len;
	double micros; /* result */
};

static void must(int ok)
{
	if (ok == 1)
		return;
	(void)fprintf(stderr, "raw: OpenSSL failed\n");
	exit(70);
}

static EVP_PKEY *make_key(enum operation operation)
{
	EVP_PKEY *key = operation == P256_SIGN ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
					       : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);

	must(key != NULL);
	return key;
}

static void encrypt_content_key(struct bench *b)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(b->key, NULL);
	unsigned char content_key[16] = { 1 };

	b->cipher_len = sizeof(b->cipher);
	must(EVP_PKEY_encrypt_init(ctx));
	must(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING));
	must(EVP_PKEY_encrypt(ctx, b->cipher, &b->cipher_len, content_key, sizeof(content_key)));
	EVP_PKEY_CTX_free(ctx);
}

static void decrypt_once(struct bench *b, EVP_PKEY_CTX *ctx)
{
	unsigned char out[512];
	size_t len = sizeof(out);

	must(EVP_PKEY_decrypt(ctx, out, &len, b->cipher, b->cipher_len));
}

static void sign_once(EVP_PKEY_CTX *ctx)
{
	static const unsigned char digest[48] = { 7 };
	unsigned char out[512];
	size_t len = sizeof(out);

	must(EVP_PKEY_sign(ctx, out, &len, digest, 32));
}

static double cpu_micros(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void *thread_main(void *arg)
{
	struct bench *b = arg;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(b->key, NULL);
	double begin, now;
	unsigned long n = 0;

	if (b->operation == RSA2048_DECRYPT) {
		must(EVP_PKEY_decrypt_init(ctx));
		must(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING));
	} else {
		must(EVP_PKEY_sign_init(ctx));
		must(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()));
	}
	begin = cpu_micros();
	do {
		int i;

		for (i = 0; i < 50; i++, n++) {
			if (b->operation == RSA2048_DECRYPT)
				decrypt_once(b, ctx);
			else
				sign_once(ctx);
		}
		now = cpu_micros();
	} while (now - begin < SECONDS * 1e6);
	b->micros = (now - begin) / (double)n;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

static double measure(enum operation operation)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct bench bench[THREADS_MAX];
	pthread_t threads[THREADS_MAX];
	double sum = 0;
	long i;

	cores = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : cores;
	for (i = 0; i < cores; i++) {
		bench[i].operation = operation;
		bench[i].key = make_key(operation);
		if (operation == RSA2048_DECRYPT)
			encrypt_content_key(&bench[i]);
	}
	for (i = 0; i < cores; i++)
		must(pthread_create(&threads[i], NULL, thread_main, &bench[i]) == 0);
	for (i = 0; i < cores; i++) {
		(void)pthread_join(threads[i], NULL);
		sum += bench[i].micros;
		EVP_PKEY_free(bench[i].key);
	}
	return sum / (double)cores;
}

int main(void)
{
	enum operation operation;

	printf("{");
	for (operation = 0; operation < OPERATIONS; operation++)
		printf("%s\"%s\": %.1f", operation ? ", " : "", names[operation],
		       measure(operation));
	printf("}\n");
	return 0;
}
