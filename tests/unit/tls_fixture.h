/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of keys and certificates that openssl(1) made, and openssl(1) itself, for tests of TLS.
 */
#ifndef TESTS_TLS_FIXTURE_H
#define TESTS_TLS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

#include "base/attr.h"

#define TLS_DIR 32
#define TLS_PATH 64

/* Makes the folder, and runs make_files (a shell's command) in it. */
void tls_fixture_begin(char dir[TLS_DIR], const char *make_files);
void tls_fixture_end(const char *dir);
/* Runs it in the folder; true: exit code 0. Output, cut to what fits, in out. */
bool tls_run(const char *dir, char *out, size_t size, const char *fmt, ...) PRINTF_LIKE(4, 5);
void tls_path(const char *dir, const char *name, char out[TLS_PATH]);
EVP_PKEY *tls_key(const char *dir, const char *name);

#endif
