/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in the certificate that a listener's server issues to itself: its names, in the form
 * in which a device would ask for them. Pure; for any thread.
 */
#ifndef CONFIG_OWN_TLS_H
#define CONFIG_OWN_TLS_H

#include "config/config.h"

/* GeneralNames, whole. */
RESULT own_tls_put_sans(const struct config_listener *l, struct buf *out, struct err *err);
/* A Name of the first of them, and an extension with all. */
RESULT own_tls_put_names(const struct config_listener *l, struct buf *subject, struct buf *exts,
			 struct err *err);

/*
 * Would the profile make such a certificate, for a listener's names and a key as the server has?
 * ERR_CONFIG and others say why not.
 */
RESULT own_tls_check(const struct config_listener *l, const struct profile *p, struct err *err);

#endif
