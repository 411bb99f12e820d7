/* SPDX-License-Identifier: Apache-2.0 */
/* A certification request with everything that hangs on it: names, extensions, challenge, key. */
#include "der/oid.h"
#include "pki/csr.h"
#include "pki/name.h"
#include "pki/san.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_san(struct span exts)
{
	struct ext ext;
	struct san san;
	struct der_reader list;

	if (ext_check(exts, NULL) != OK || ext_find(exts, OID_SUBJECT_ALT_NAME, &ext, NULL) != OK ||
	    san_check(ext.value, NULL) != OK || san_begin(ext.value, &list, NULL) != OK)
		return;
	while (san_next(&list, &san)) {
		BUF text = BUF_INIT;

		(void)!san_put_text(&text, &san, NULL);
	}
	(void)san_equal(ext.value, ext.value);
}

static void read_name(struct span name)
{
	BUF text = BUF_INIT;
	BUF cn = BUF_INIT;

	if (name_check(name, NULL) != OK)
		return;
	(void)!name_put_text(&text, name, NULL);
	(void)!name_common_name(name, &cn, NULL);
	(void)name_equal(name, name);
	(void)name_equal_unordered(name, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csr csr;
	struct pubkey_info key;
	SECRET challenge = SECRET_INIT;
	struct err err = { 0 };

	if (csr_parse(span_of(data, size), &csr, &err) != OK)
		return 0;
	read_name(csr.subject);
	read_san(csr.exts);
	(void)!csr_challenge(&csr, &challenge, &err);
	(void)!pubkey_inspect(csr.spki, &key, &err);
	return 0;
}
