/* SPDX-License-Identifier: Apache-2.0 */
/* SignedData and EnvelopedData from DER, with the certificates inside; SMIMECapabilities. */
#include "der/oid.h"
#include "pki/cms_enveloped.h"
#include "pki/cms_signed.h"
#include "pki/lint.h"
#include "pki/smime_caps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_certs(const struct cms_signed *s)
{
	struct cert cert;
	size_t i;

	for (i = 0; i < s->n_certs; i++) {
		if (cert_parse(s->certs[i], &cert, NULL) != OK)
			continue;
		(void)cert_is_ca(&cert);
		(void)cert_ski(&cert);
		(void)cert_is_self_issued(&cert);
		(void)!lint_tbs(cert.tbs, NULL);
	}
	(void)!cms_signed_signer(s, &cert, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cms_signed s;
	struct cms_enveloped e = { .n_recipients = 0 };
	struct smime_caps caps;
	struct der_tlv value;

	(void)!smime_caps_read(span_of(data, size), &caps, NULL);
	if (cms_signed_parse(span_of(data, size), &s, NULL) == OK) {
		read_certs(&s);
		(void)!cms_attr_find(&s, OID_MESSAGE_DIGEST, "messageDigest", &value, NULL);
	}
	if (cms_enveloped_parse(span_of(data, size), &e, NULL) == OK)
		cms_enveloped_clear(&e);
	return 0;
}
