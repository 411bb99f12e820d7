/* SPDX-License-Identifier: Apache-2.0 */
/* A request's head in which a proxy tells of its client's certificate, in each of the formats. */
#include "net/client_cert.h"
#include "net/http_framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client_certs certs = { .n = 0 };
	struct http_request req = { .n_headers = 0 };
	struct http_framing framing = { 0 };
	enum client_cert_format format;
	size_t i;

	if (http_head_parse(span_of(data, size), true, &req, &framing, NULL) != 0)
		return 0;
	for (format = CLIENT_CERT_RFC9440; format <= CLIENT_CERT_DER; format++) {
		if (client_cert_parse(&req, "Client-Cert", format, &certs, NULL) != OK)
			continue;
		for (i = 0; i < certs.n; i++)
			if (client_certs_get(&certs, i).len != certs.lens[i] || !certs.lens[i])
				__builtin_trap();
		if (certs.n && !client_cert_is_there(&req, "Client-Cert"))
			__builtin_trap();
		client_certs_clear(&certs);
	}
	return 0;
}
