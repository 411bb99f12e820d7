/* SPDX-License-Identifier: Apache-2.0 */
/* The hashes by which keys are known, out of the files that an administrator has. */
#ifndef CLI_CTL_KEY_FILE_H
#define CLI_CTL_KEY_FILE_H

#include "pki/pubkey.h"

/*
 * pubkey_hash() of what is in the file: a certificate, a PKCS#10 request, a public key or a private
 * one without passphrase, in PEM (the first of them counts) or DER.
 */
RESULT ctl_key_file_hash(const char *path, uint8_t hash[PUBKEY_HASH], struct err *err);

/*
 * A list of such hashes: one a line in hexadecimal digits, empty lines and what is behind a #
 * aside; what is behind the first word, too, as sha256sum writes it. *text moves behind the line.
 * *found false: there was none any more. ERR_SYNTAX names the line, which *line counts.
 */
RESULT ctl_key_file_next(struct span *text, size_t *line, uint8_t hash[PUBKEY_HASH], bool *found,
			 struct err *err);

#endif
