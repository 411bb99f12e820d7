/* SPDX-License-Identifier: Apache-2.0 */
/* SubjectPublicKeyInfo and AlgorithmIdentifiers. */
#include <stdlib.h>

#include "pki/alg.h"
#include "pki/pubkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void algorithms(struct span in)
{
	struct transport_alg transport;
	enum digest_alg digest;
	enum cipher_alg cipher;
	struct sig_alg sig;
	struct der_reader r;
	struct span iv;

	der_reader_init(&r, in);
	(void)!alg_read_digest(&r, "digest", &digest, NULL);
	der_reader_init(&r, in);
	(void)!alg_read_sig(&r, "signature", &sig, NULL);
	der_reader_init(&r, in);
	(void)!alg_read_cipher(&r, "cipher", &cipher, &iv, NULL);
	der_reader_init(&r, in);
	(void)!alg_read_transport(&r, "transport", &transport, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	CLEANUP(pubkey_freep) struct pubkey *k = NULL;
	struct pubkey_info info;

	algorithms(span_of(data, size));
	if (pubkey_inspect(span_of(data, size), &info, NULL) != OK)
		return 0;
	if (info.kind == KEY_NONE || info.bits == 0 || info.key.len > size)
		abort();
	if (crypto_new(&c, false, NULL) == OK)
		(void)!pubkey_new(&k, c, info.spki, NULL);
	return 0;
}
