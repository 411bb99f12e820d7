/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

bool tls_run(const char *dir, char *out, size_t size, const char *fmt, ...)
{
	BUF line = BUF_INIT;
	size_t n = 0;
	va_list ap;
	FILE *p;
	int c;

	buf_printf(&line, "cd %s && ", dir);
	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	p = popen(buf_cstr(&line), "r");
	assert_non_null(p);
	while ((c = fgetc(p)) != EOF)
		if (n < size - 1)
			out[n++] = (char)c;
	out[n] = '\0';
	return pclose(p) == 0;
}

void tls_fixture_begin(char dir[TLS_DIR], const char *make_files)
{
	char out[8192];

	(void)snprintf(dir, TLS_DIR, "/tmp/scepter-tls-XXXXXX");
	assert_non_null(mkdtemp(dir));
	if (!tls_run(dir, out, sizeof(out), "%s", make_files))
		fail_msg("%s", out);
}

void tls_fixture_end(const char *dir)
{
	char out[256];

	(void)tls_run("/tmp", out, sizeof(out), "rm -rf %s", dir);
}

void tls_path(const char *dir, const char *name, char out[TLS_PATH])
{
	(void)snprintf(out, TLS_PATH, "%s/%s", dir, name);
}

EVP_PKEY *tls_key(const char *dir, const char *name)
{
	char path[TLS_PATH];
	EVP_PKEY *key;
	FILE *file;

	tls_path(dir, name, path);
	file = fopen(path, "r");
	assert_non_null(file);
	key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	assert_non_null(key);
	(void)fclose(file);
	return key;
}
