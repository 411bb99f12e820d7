/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an entry of an allow-list names, and what a request says of its device. An entry is a type
 * and a value: an attribute of the subject ("serialNumber", "CN", "2.5.4.17"), a kind of
 * subjectAltName ("DNS", "IP", "URI", "email", "UPN", "RID"), or "MAC", which is found in whatever
 * attribute or name it stands alone. Values are compared without case, addresses as what they are.
 * Pure.
 */
#ifndef CA_DEVICE_H
#define CA_DEVICE_H

#include "store/device.h"

#define DEVICE_VALUE_MAX 256
#define DEVICE_KEYS_MAX 64

/* The type as the store has it. ERR_SYNTAX. */
RESULT device_type_parse(struct span text, char out[STORE_NAME_MAX], struct err *err);
/* Appends the form in which values of that type are compared. ERR_SYNTAX: it cannot be of it. */
RESULT device_put_key(const char *type, struct span value, struct buf *out, struct err *err);

/* Whatever of a request an entry could name. */
struct device_keys {
	struct store_device_key keys[DEVICE_KEYS_MAX];
	size_t n;
	struct buf text; /* of the keys */
};
void device_keys_clear(struct device_keys *k);
/* subject: Name DER. exts: asked for. What cannot be read or is beyond DEVICE_KEYS_MAX is left out:
 * it names nobody then. */
RESULT device_keys_read(struct device_keys *out, struct span subject, struct span exts,
			struct err *err);

#endif
