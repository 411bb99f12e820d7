/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a device believes over TLS, and who it says that it is. */
#include "base/file.h"
#include "client/device_state.h"
#include "pki/key_evp.h"
#include "pki/pem.h"

#define CHAIN_MAX ((size_t)64 << 10)

enum result device_connect(struct device *d, const struct http_client_config *more, struct err *err)
{
	struct http_client_config config = more ? *more : (struct http_client_config){ 0 };
	struct http_client *http;

	if (!config.ca_pem.len)
		config.ca_file = d->tls_ca_file;
	/* who answers is to be known before they are told who asks */
	if (!config.cert_pem.len && !config.anyone) {
		config.cert_pem = buf_span(&d->tls_cert);
		config.key_pem = buf_span(&d->tls_key);
	}
	config.total_seconds = d->timeout;
	TRY(http_client_new(&http, &config, err));
	http_client_free(d->http);
	d->http = http;
	return OK;
}

/* What stands behind the certificate leads to its CA, and is shown with it. */
static RESULT read_chain(const char *path, struct buf *pem, struct err *err)
{
	BUF file = BUF_INIT;
	struct span text;
	enum result r;

	TRY(file_read(path, CHAIN_MAX, &file, err));
	text = buf_span(&file);
	do {
		BUF der = BUF_INIT;

		r = pem_next(&text, "CERTIFICATE", &der, err);
		if (r == OK)
			pem_put(pem, "CERTIFICATE", buf_span(&der));
	} while (r == OK);
	if (r != ERR_NOT_FOUND)
		return err_prefix(err, r, "%s", path);
	if (pem->len == 0) /* DER, then */
		pem_put(pem, "CERTIFICATE", buf_span(&file));
	return buf_check(pem, err);
}

enum result device_set_tls_identity(struct device *d, const char *cert_path, const char *key_path,
				    struct err *err)
{
	CLEANUP(key_freep) struct key *key = NULL;
	BUF_SECRET key_pem = BUF_INIT;
	BUF cert_pem = BUF_INIT;
	BUF der = BUF_INIT;

	TRY(device_load_pair(d, key_path, cert_path, &key, &der, err));
	TRY(read_chain(cert_path, &cert_pem, err));
	TRY(key_evp_export(key, NULL, &key_pem, err));
	buf_clear(&d->tls_cert);
	buf_wipe(&d->tls_key);
	d->tls_cert = buf_take(&cert_pem);
	d->tls_key = buf_take(&key_pem);
	return OK;
}
