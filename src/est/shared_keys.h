/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that devices share with the server beforehand, to have a key of its making encrypted with
 * (RFC 7030 4.4.1.1). They are in a file of the administrator's, which is read each time one is
 * asked for and of which nothing stays in memory:
 *
 *	# identifier      key (16, 24 or 32 octets)         of requests for this subject, or *
 *	6b657937          000102030405060708090a0b0c0d0e0f  CN=sensor-1,O=Example
 *
 * The first two in hexadecimal digits. Whoever is not the file's owner or group must not read it.
 */
#ifndef EST_SHARED_KEYS_H
#define EST_SHARED_KEYS_H

#include "base/secret.h"

/* Is every line of it right? ERR_CONFIG names the line. */
RESULT est_shared_keys_check(const char *path, struct err *err);
/*
 * subject: Name. ERR_NOT_FOUND: no key of that identifier, or none for that subject, which look the
 * same.
 */
RESULT est_shared_keys_find(const char *path, struct span id, struct span subject,
			    struct secret *out, struct err *err);

#endif
