/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For src/pki and its tests: the recipients of an EnvelopedData whose content key is wrapped, by
 * a key that is agreed on (KeyAgreeRecipientInfo, RFC 5652 6.2.2, RFC 5753 3.1.1: ephemeral-static
 * ECDH, dhSinglePass-stdDH-sha256kdf) or shared beforehand (KEKRecipientInfo, RFC 5652 6.2.3).
 */
#ifndef PKI_CMS_KARI_H
#define PKI_CMS_KARI_H

#include "pki/cms_enveloped.h"

/* r: within [1]; what is unknown leaves the recipient CMS_RECIPIENT_OTHER. */
RESULT cms_kari_read(struct der_reader *r, struct cms_recipient *out, struct err *err);
/* RecipientInfo, appended, for to->key, which is an EC key and named by to->ski. */
RESULT cms_kari_put(struct crypto *c, const struct cms_holder *to, enum wrap_alg wrap,
		    struct span content_key, struct buf *out, struct err *err);

/* The same of a shared key; r: within [2]. */
RESULT cms_kek_read(struct der_reader *r, struct cms_recipient *out, struct err *err);
RESULT cms_kek_put(struct crypto *c, const struct cms_kek *to, struct span content_key,
		   struct buf *out, struct err *err);

#endif
