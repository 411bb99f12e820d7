/* SPDX-License-Identifier: Apache-2.0 */
/* PasswordRecipientInfo (RFC 5652 6.2.4), the writing half of it; for src/pki only. */
#ifndef PKI_CMS_PWRI_H
#define PKI_CMS_PWRI_H

#include "pki/crypto.h"

/* Appends the RecipientInfo [3] by which the password gives content_key, wrapped under cipher. */
RESULT cms_pwri_put(struct crypto *c, enum cipher_alg cipher, struct span password,
		    struct span content_key, struct buf *out, struct err *err);

#endif
